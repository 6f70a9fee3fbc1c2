#!/bin/sh
# run.sh [PART...] - every test of the project, from a clean checkout: installs what is missing,
# builds with gcc and with clang and its sanitizers, tests, and ends in the line
# "N passed, N failed". Parts, in this order: gcc clang layers install format corrupt fault fuzz valgrind e2e.
# What each part wrote lies in build-logs/. Works in build-gcc/ and build-asan/.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
logs=$root/build-logs
parts='gcc clang layers install format corrupt fault fuzz valgrind e2e'

for part in "$@"; do
	case " $parts " in
	*" $part "*) ;;
	*)
		echo "run.sh: no part '$part'; there are: $parts" >&2
		exit 2
		;;
	esac
done
chosen=${*:-$parts}
mkdir -p "$logs"
results=$logs/results
: >"$results"

# Every result is one line: "ok NAME", "not ok NAME: WHY" or "skip NAME: WHY".
result() {
	echo "$*" | tee -a "$results"
}

# A step that is one test. $1: seconds allowed; $2: its name; the rest: the command.
step() {
	limit=$1 name=$2 log=$logs/$(echo "$2" | tr -c 'a-zA-Z0-9\n' '-').log
	shift 2
	begin=$(date +%s)
	if timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null; then
		result "ok $name ($(($(date +%s) - begin)) s)"
		return 0
	fi
	result "not ok $name: see ${log#"$root"/}"
	grep -E '(error|warning):' "$log" >"$log.errors" || tail -n 40 "$log" >"$log.errors"
	head -n 40 "$log.errors" | sed 's/^/    /'
	rm -f "$log.errors"
	return 1
}

# A script that prints result lines itself. They are read from the log when it is over: a pipe
# would be held open by whatever process the script left behind. $1: seconds; $2: prefix of the
# names; rest: command.
script() {
	limit=$1 name=$2 log=$logs/$(echo "$2" | tr -c 'a-zA-Z0-9\n' '-').log
	shift 2
	timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
	code=$?
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'ok '*) result "ok $name: ${line#ok }" ;;
		'not ok '*) result "not ok $name: ${line#not ok }" ;;
		'skip '*) result "skip $name: ${line#skip }" ;;
		*) echo "    $line" ;;
		esac
	done <"$log"
	case $code in
	0) ;;
	1) grep -q '^not ok ' "$log" || result "not ok $name: failed without a word" ;;
	124) result "not ok $name: took more than $limit s" ;;
	*) result "not ok $name: ended with code $code" ;;
	esac
	grep -Eq '^(ok|not ok|skip) ' "$log" || result "not ok $name: tested nothing"
}

# One line for each test program of a build; Criterion's own count where it gives one.
unit_tests() {
	build=$1 what=$2
	rm -f "$build/meson-logs/testlog.json"
	timeout -k 10 900 meson test -C "$build" --no-rebuild --print-errorlogs \
		>"$logs/$what-tests.log" 2>&1 </dev/null
	code=$?
	awk -v what="$what" -f tests/summary.awk "$build/meson-logs/testlog.json" | tee -a "$results"
	if [ "$code" -ne 0 ]; then
		grep -q "^not ok $what: " "$results" ||
			result "not ok $what: meson test ended with code $code"
		grep -E '\[(----|FAIL|CRASH|ERR)|ERROR|runtime error' "$logs/$what-tests.log" |
			head -n 60 | sed 's/^/    /'
	fi
}

# $1: build directory; the rest: options for meson.
configure() {
	build=$1
	shift
	if [ -f "$build/build.ninja" ]; then
		meson configure "$build" --werror "$@" && return
		rm -rf "$build"
	fi
	meson setup "$build" --werror "$@"
}

build() {
	name=$1 dir=$2
	shift 2
	configure "$dir" "$@" >"$logs/$name-configure.log" 2>&1 || {
		tail -n 30 "$logs/$name-configure.log" | sed 's/^/    /'
		result "not ok $name: configure"
		return 1
	}
	step 900 "$name: build without a warning" ninja -C "$dir"
}

part_gcc() {
	unit_tests build-gcc gcc
}

# Criterion runs each test in a process of its own, and does not mind how that ends.
part_clang() {
	unit_tests build-asan asan
	if grep -A 8 'ERROR: LeakSanitizer' build-asan/meson-logs/testlog.txt >"$logs/asan-leaks.log"; then
		result 'not ok asan: unit tests leak memory'
		head -n 30 "$logs/asan-leaks.log" | sed 's/^/    /'
	else
		result 'ok asan: unit tests leak no memory'
	fi
}

part_layers() {
	step 60 'layers: dependencies point the allowed way' sh tests/layers.sh build-gcc
}

part_install() {
	script 120 install sh tests/install.sh build-gcc
}

part_format() {
	step 120 'format: all C is as .clang-format says' sh tests/format.sh
}

part_corrupt() {
	script 600 corrupt sh tests/corrupt/run.sh build-asan
}

part_fault() {
	script 900 fault sh tests/fault/run.sh build-asan
	script 100 fault sh tests/e2e/netlink_faults.sh build-asan
}

part_fuzz() {
	script 300 fuzz sh tests/fuzz/run.sh build-asan
}

part_valgrind() {
	script 300 valgrind sh tests/valgrind.sh build-gcc
}

part_e2e() {
	for case in tests/e2e/*.sh; do
		case ${case##*/} in
		lib.sh) ;;
		*) script 400 "$(basename "$case" .sh)" sh "$case" "$root/build-gcc" ;;
		esac
	done
}

started=$(date +%s)
sh tests/deps.sh test || {
	result 'not ok install what is needed'
	echo '0 passed, 1 failed'
	exit 1
}

export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99"
export LSAN_OPTIONS="suppressions=$root/tests/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99"
unset MAKEFLAGS LIBRARY_PATH
export LC_ALL=C.UTF-8

built=' format '
case " $chosen " in
*' gcc '* | *' layers '* | *' install '* | *' valgrind '* | *' e2e '*)
	CC=gcc build gcc build-gcc && built="$built gcc layers install valgrind e2e "
	;;
esac
case " $chosen " in
*' clang '* | *' corrupt '* | *' fault '* | *' fuzz '*)
	CC=clang build clang build-asan -Dfuzzers=true -Db_sanitize=address,undefined \
		-Db_lundef=false && built="$built clang corrupt fault fuzz "
	;;
esac
for part in $chosen; do
	case $built in
	*" $part "*) "part_$part" ;;
	esac
done

passed=$(awk '/^ok /{ n += match($0, /\([0-9]+ tests/) ? substr($0, RSTART + 1) + 0 : 1 } END { print n + 0 }' "$results")
failed=$(grep -c '^not ok ' "$results")
skipped=$(grep -c '^skip ' "$results")
grep '^not ok ' "$results" >"$logs/failed" && {
	echo
	echo 'Failed:'
	sed 's/^not ok /    /' "$logs/failed"
}
echo "took $(($(date +%s) - started)) s"
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
