#!/bin/sh
# run.sh [--quick] [recorder|reader] - what Socklapse costs beside what else there is. Builds in
# build-bench/, makes its own load in namespaces of its own (root), prints Markdown on standard
# output and progress on standard error: sh tests/bench/run.sh | tee tests/bench/RESULTS.md
#   RUNS      in the environment: how often each question of the reader is asked (3)
#   --quick   fewer rounds, a tenth of the day, no ss, no lsof, never a million sockets
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
quick=0 parts=
for arg in "$@"; do
	case $arg in
	--quick) quick=1 ;;
	recorder | reader) parts="$parts $arg" ;;
	*)
		echo 'usage: sh tests/bench/run.sh [--quick] [recorder|reader]' >&2
		exit 2
		;;
	esac
done
parts=${parts:-recorder reader}

if [ "$(id -u)" -ne 0 ]; then
	echo 'run.sh: needs root: it makes namespaces and reads every /proc/PID/fd' >&2
	exit 2
fi
[ -f build-bench/build.ninja ] || meson setup build-bench --buildtype=debugoptimized >&2
ninja -C build-bench >&2

export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
export quick root build="$root/build-bench"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/socklapse-bench.XXXXXX")
export work
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

load_now() {
	cut -d ' ' -f 1-3 /proc/loadavg
}

cat <<END
# What it costs

Made by \`sh tests/bench/run.sh$([ $quick -eq 1 ] && echo ' --quick')\`, $(date -u '+%Y-%m-%d %H:%M') UTC; commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown).

* Machine: $(nproc) x $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB
* Linux $(uname -r), $(cc --version | head -n 1), SQLite $(sqlite3 --version | cut -d ' ' -f 1), $(ss -V | tr ',' ' ')
* Load average at the begin: $(load_now)
END
for part in $parts; do
	sh "tests/bench/$part.sh"
done
printf '\nLoad average at the end: %s\n' "$(load_now)"
