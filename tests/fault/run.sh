#!/bin/sh
# run.sh BUILD - memory that runs out and a disk that fails, at every place in turn; and a recorder
# that is killed at every change of its file. After each run the recording must be sound and hold
# what was reported, one line must say what failed, and the next run must go on. Best run with a
# build that has sanitizers. Prints a result line for every kind of fault.
. "$(dirname "$0")/../e2e/lib.sh"
faulty=$build/tests/fault/faulty
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:exitcode=99}"
cd "$work" || exit 2

# In namespaces of its own a run has little to look at: it is fast, and the same every time.
alone=
unshare --net --pid --fork --mount-proc true 2>/dev/null && alone='unshare --net --pid --fork --mount-proc'

# $1: fault; $2: numbers that are tried one by one; $3: fresh, or nothing.
sweep() {
	# shellcheck disable=SC2086
	$alone "$faulty" sweep "$1" "$2" "r-$1.socklapse" $3 -q -A tcp,unix
	code=$?
	rm -f "r-$1.socklapse"*
	[ $code -le 1 ] || not_ok "$1" "the sweep ended with code $code"
}

for fault in kill write:ENOSPC write-once:EIO; do
	sweep $fault 10000 ''
	sweep $fault 10000 fresh
done
for fault in alloc alloc-once; do
	sweep $fault "${DENSE:-20}" ''
	sweep $fault "${DENSE:-20}" fresh
done
