#!/bin/sh
# run.sh BUILD - damaged recordings under the analyzer: it refuses with one line, or goes on at the
# next key frame; it never crashes, hangs, or hands a file's control characters to the terminal.
# Best run with a build that has sanitizers. Prints a result line for every kind of damage.
set -u
build=$(cd "${1:?usage: sh tests/corrupt/run.sh BUILD}" && pwd) || exit 2
tools=$build/tests/corrupt
lapse=$build/analyzer/socklapse
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}"
work=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-test.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
escape=$(printf '\033')

# Asks one question of bad.socklapse. $1: what it should do; the rest: the command.
# Says on stdout what is wrong with the answer, or nothing.
ask() {
	expect=$1
	shift
	timeout -k 5 30 "$lapse" -f bad.socklapse "$@" >out 2>err </dev/null
	code=$?
	lines=$(wc -l <err)
	if [ "$code" -ne 0 ] && [ "$code" -ne 1 ]; then
		echo "$1: code $code: $(grep -m1 -E 'ERROR|runtime error' err || tail -n 1 err)"
	elif grep -q "$escape" out err; then
		echo "$1: a control character of the file reaches the terminal"
	elif [ "$expect" = refuse ] && { [ "$code" -ne 1 ] || [ "$lines" -ne 1 ]; }; then
		echo "$1: code $code and $lines lines, not 1 and one line"
	elif [ "$expect" = fine ] && { [ "$code" -ne 0 ] || [ "$lines" -ne 0 ]; }; then
		echo "$1: code $code: $(head -n 1 err)"
	elif [ "$code" -eq 1 ] && ! grep -q '^socklapse: ' err; then
		echo "$1: failed without a word"
	elif [ "$lines" -gt 24 ]; then
		echo "$1: $lines lines of complaint"
	fi
}

ask_all() {
	ask "$1" info
	ask "$1" list
	ask "$1" show --at end -a -p
	ask "$1" linger
	ask "$1" diff start end
	ask "$1" sql 'SELECT * FROM socket'
}

"$tools/good" good.socklapse || exit 1
flips=0
flips_bad=0
"$tools/damage" --list >cases
while read -r expect name; do
	"$tools/damage" good.socklapse bad.socklapse "$name" 2>err || {
		echo "not ok $name: $(head -n 1 err)"
		continue
	}
	case $name in
	*-byte-*)
		{
			ask "$expect" linger
			ask "$expect" sql 'SELECT * FROM socket'
		} >wrong
		flips=$((flips + 1))
		[ ! -s wrong ] || {
			flips_bad=$((flips_bad + 1))
			echo "not ok $name: $(head -n 1 wrong)"
		}
		;;
	*)
		ask_all "$expect" >wrong
		if [ -s wrong ]; then
			echo "not ok $name: $(head -n 1 wrong)"
			sed 1d wrong | sed 's/^/    /'
		else
			echo "ok $name"
		fi
		;;
	esac
done <cases
[ "$flips_bad" -ne 0 ] || echo "ok $flips single bytes turned over"
