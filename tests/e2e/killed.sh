#!/bin/sh
# killed.sh BUILD - kill -9 at many moments, one-shot and service: no file damaged, no snapshot that
# was reported as written is lost, the next run goes on. SIGTERM: the same, and in good order.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

snapshots() {
	sqlite3 "$1" 'SELECT count(*) FROM snapshot' 2>&1
}

# $1: name; $2: file; $3: at least so many snapshots. All of it can be read.
sound() {
	check=$(sqlite3 "$2" 'PRAGMA integrity_check' 2>&1)
	there=$(snapshots "$2")
	if [ "$check" != ok ]; then
		not_ok "$1" "integrity: $check"
	elif [ "$there" -lt "$3" ]; then
		not_ok "$1" "$there snapshots, but $3 were reported"
	elif ! "$lapse" -f "$2" sql 'SELECT count(*), sum(recvq), sum(rtt_us), max(pid) FROM socket' \
		>out 2>err || [ -s err ]; then
		not_ok "$1" "$(head -n 1 err)"
	else
		ok "$1"
	fi
}

"$record" -q -o one.socklapse || not_ok 'first run' "exit code $?"
reported=1
for moment in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 22 24 26 28 30 33 36 40 45 50; do
	"$record" -q --stats -o one.socklapse >stats 2>err &
	pid=$!
	sleep "0.0$(printf %02d $moment)"
	stop $pid KILL
	reported=$((reported + $(grep -c '^{.*}$' stats)))
	"$record" -q -o one.socklapse 2>err || not_ok "run after a kill" "$(head -n 1 err)"
	reported=$((reported + 1))
done
sound "30 one-shot runs killed after 1 to 50 ms" one.socklapse $reported

reported=0
for moment in 11 23 37 41 53 67 71 83 97; do
	"$record" -q --stats -i 10ms -o service.socklapse >stats 2>err &
	pid=$!
	sleep "0.$moment"
	stop $pid KILL
	reported=$((reported + $(grep -c '^{.*}$' stats)))
done
like 'the service reports what it writes' "$reported" '^[1-9]'
sound "9 services killed in mid-work" service.socklapse $reported

wrong=
for moment in 11 23 37 41 53; do
	"$record" -q --stats -i 10ms -o term.socklapse >stats 2>err &
	pid=$!
	sleep "0.$moment"
	stop $pid TERM
	code=$?
	[ "$code" -eq 0 ] && [ ! -s err ] || wrong="$wrong [code $code $(head -n 1 err)]"
done
is 'SIGTERM ends it in good order' "$wrong" ''
sound 'and what it leaves is sound' term.socklapse 5
