#!/bin/sh
# story_leak.sh BUILD - connections to a data node pile up in CLOSE-WAIT: `linger` tells in one go
# which process, since when, how fast an hour, how long each has lingered, whether input is left
# unread, and when the process runs out of files.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_actor slt-node
start_actor slt-java
tell slt-java files 300
tell slt-node listen 0 10.99.0.1 50010 64
# leak FROM TO: the node closes each connection, the other one keeps it.
leak() {
	i=$1
	while [ "$i" -le "$2" ]; do
		tell slt-java connect "$i" 10.99.0.1 50010
		tell slt-node accept "$i" 0
		tell slt-node close "$i"
		tell slt-java await "$i" 8
		i=$((i + 1))
	done
}
snapshot() {
	in_ns "$record" -q -o r.socklapse || not_ok "run $1" "exit code $?"
}
leak 1 140
begin=$(date +%s%N)
snapshot 1
sleep 1
leak 141 200
i=2
while [ $i -le 200 ]; do # every second one is read up to the end, long after its FIN came
	tell slt-java read $i 10
	i=$((i + 2))
done
snapshot 2
end=$(date +%s%N)

out=$("$lapse" -f r.socklapse linger --by comm,peer-port --top 3 state close-wait dport = :50010 2>&1)
echo "$out" | sed 's/^/    /'
pid=$(cat slt-java.pid)
like 'which process, to which port; how many; input left unread' "$out" \
	'^slt-java +50010 +200 +200 +140 +\+[0-9]+ +100 '
rate=$(echo "$out" | sed -n 's/^slt-java  *50010  *200  *200  *140  *+\([0-9]*\) .*/\1/p')
# 60 more in the time between; the snapshots' own begins are not known to the millisecond.
is 'how fast an hour' "$((rate > 60 * 3600 * 900 / ((end - begin) / 1000000) \
	&& rate < 60 * 3600 * 1400 / ((end - begin) / 1000000)))" 1
like 'how long each has lingered, since when, by whom' "$out" \
	">= [0-9.]+s +CLOSE-WAIT +[0-9-]+ [0-9:.]+ +open.* 10\.99\.0\.1:50010 +slt-java,pid=$pid +fd"
like 'when it runs out of files' "$out" "^slt-java,pid=$pid +20[0-9] +300 +[0-9]+ +2[0-9-]+ [0-9:.]+"
full=$("$lapse" -f r.socklapse linger --json state close-wait dport = :50010 |
	sed -n 's/.*"full_ns": \([0-9]*\).*/\1/p')
# At 60 files in the time between the two, 97 more take 1.6 times as long.
is 'and that is right' "$((full > end + (end - begin) && full < end + (end - begin) * 5 / 2))" 1
