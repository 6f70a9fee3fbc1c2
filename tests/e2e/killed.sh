#!/bin/sh
# killed.sh BUILD - SIGTERM and kill -9 at 100 random moments each, one-shot and service, on a
# namespace with sockets to work on: no file is damaged, no snapshot that was reported as written is
# lost, the next run goes on. KEEP=DIR keeps the files of a failure there; SEED=N chooses moments.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

if [ "$(id -u)" -ne 0 ] || ! unshare --net --pid --fork --mount-proc true 2>/dev/null; then
	echo 'skip all: needs root and namespaces'
	exit 0
fi
[ "${1:-}" != '' ] && [ "${2:-}" != inside ] && {
	script=$here/killed.sh
	unshare --net --pid --fork --mount-proc sh "$script" "$build" inside
	exit
}
ip link set lo up
"$build/tests/bench/load" 800 10 20 1 600 >ready &
load=$!
pids="$pids $load"
tries=0
until grep -q ready ready; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 2
	sleep 0.1
done
seed=${SEED:-$(date +%N)}
for mode in one-shot service; do
	for signal in TERM KILL; do
		"$build/tests/fault/moments" "$record" "$work/$mode-$signal.socklapse" \
			$mode $signal 100 "$seed"
	done
done
echo "    seed $seed"
stop $load
exit 0 # not what the load ended with
