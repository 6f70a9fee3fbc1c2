#!/bin/sh
# two_at_once.sh BUILD - overlapping runs: the second finds the lock and leaves at once with 75,
# the skip is in the recording, and of twenty runs at once none spoils the file.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

"$record" -q -o r.socklapse -i 100ms &
service=$!
pids="$pids $service"
sleep 1
begin=$(date +%s%N)
"$record" -q -o r.socklapse >out 2>err
code=$?
took_ms=$((($(date +%s%N) - begin) / 1000000))
is 'a second run leaves with 75' "$code" 75
[ "$took_ms" -lt 1000 ] && ok 'and at once' || not_ok 'and at once' "it took $took_ms ms"
sleep 0.5
stop $service
is 'the first run ends well when told to' "$?" 0
like 'the skip is recorded' "$(sqlite3 r.socklapse "SELECT kind FROM event WHERE kind = 'gap' LIMIT 1")" '^gap$'

runs=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	"$record" -q -o many.socklapse >"out.$i" 2>"err.$i" &
	runs="$runs $!"
done
wrote=0
skipped=0
for pid in $runs; do
	wait "$pid"
	case $? in
	0) wrote=$((wrote + 1)) ;;
	75) skipped=$((skipped + 1)) ;;
	*) not_ok 'twenty at once' "one ended with another code than 0 or 75: $(cat err.*)" ;;
	esac
done
like 'twenty at once: some do' "$wrote" '^[1-9]'
is 'and each of these wrote one snapshot' "$(sqlite3 many.socklapse 'SELECT count(*) FROM snapshot')" "$wrote"
is 'the file is sound' "$(sqlite3 many.socklapse 'PRAGMA integrity_check')" ok
"$record" -q -o many.socklapse
is 'the next run goes on' "$?" 0
is 'each skip is counted, and why is said' \
	"$(sqlite3 many.socklapse "SELECT coalesce(sum(count), 0) FROM event WHERE kind = 'gap' AND
	text = 'a run was skipped: the one before it was not done'")" "$skipped"
like 'in few rows' "$(sqlite3 many.socklapse 'SELECT count(*) FROM event')" '^[01]$'
is 'nothing is left beside the file' "$(echo many.socklapse*)" many.socklapse

# A recorder that is stopped, as the machine's suspension stops it: the moments are in one row.
"$record" -q -o r.socklapse -i 100ms &
service=$!
pids="$pids $service"
sleep 0.5
kill -STOP $service
sleep 1.2
kill -CONT $service
sleep 0.5
stop $service
missed=$(sqlite3 r.socklapse "SELECT sum(count), sum(end_ns - wall_ns) / 1000000 > 800
	FROM event WHERE kind = 'gap' AND text NOT LIKE 'a run was skipped%'")
like 'what a stopped recorder missed is told' "$missed" '^([89]|1[0-9])[|]1$'
like 'and info sums it up' "$("$lapse" -f r.socklapse info)" '(in time|took longer).* [0-9]+ +[0-9]+'
like 'linger rests on it' "$("$lapse" -f r.socklapse linger)" '^Gaps: [1-9]'
