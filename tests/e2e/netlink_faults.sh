#!/bin/sh
# netlink_faults.sh BUILD - a kernel that answers wrongly, for every way in tests/fault/fault_netlink.c:
# the run ends well, the snapshot says that it is partial and why, and list and info tell it.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
faulty=$build/tests/fault/faulty
make_network
ip netns exec "$ns" "$build/tests/bench/load" 300 0 0 0 300 >ready &
load=$!
pids="$pids $load"
tries=0
until grep -q ready ready; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 2
	sleep 0.1
done

# The flags that a case may set, and what the snapshot says of TCP.
told() {
	sqlite3 "$1" "SELECT flags & 35 | EXISTS (SELECT 1 FROM problem
			WHERE problem LIKE 'tcp%: not in this kernel') * (flags & 256),
		coalesce((SELECT substr(problem, 6) FROM problem
			WHERE problem LIKE 'tcp: %' AND problem NOT LIKE '%not in this kernel'), ''),
		coalesce((SELECT sum(sockets) FROM tally WHERE proto = 'tcp'), 0) FROM snapshot" 2>&1
}

"$faulty" list >cases || exit 2
wrong=0
count=0
while read -r name flags stay problem; do
	rm -f f.socklapse
	count=$((count + 1))
	in_ns timeout 20 "$faulty" run "netlink:$name" -q --deadline 2s -o f.socklapse 2>err
	code=$?
	got=$(told f.socklapse)
	sockets=${got##*|}
	got=${got%|*}
	want="$flags|$problem"
	[ "$problem" != '*' ] || [ -z "${got#*|}" ] || want="$flags|${got#*|}"
	# What comes first depends on the machine: the limit of datagrams, or the deadline.
	[ "$name|$got" != 'endless|2|left: it had no end' ] || want=$got
	why=
	if [ "$code" -ne 0 ] || [ -s err ]; then
		why="code $code: $(head -n 1 err)"
	elif [ "$got" != "$want" ]; then
		why="the snapshot says '$got', not '$want'"
	elif [ "$stay" -eq 1 ] && [ "$sockets" -lt 300 ]; then
		why="only $sockets sockets are left"
	elif ! "$lapse" -f f.socklapse sql 'SELECT count(*), max(rtt_us), max(pid) FROM socket' >out 2>err2 ||
		[ -s err2 ]; then
		why="cannot be read: $(head -n 1 err2)"
	elif [ $((flags & 2)) -ne 0 ] && ! "$lapse" -f f.socklapse list | grep -q partial; then
		why='list does not say that it is partial'
	elif [ -n "${got#*|}" ] && ! "$lapse" -f f.socklapse info | grep -Fq "tcp: ${got#*|}"; then
		why='info does not say why'
	fi
	[ -z "$why" ] || {
		not_ok "$name" "$why"
		wrong=$((wrong + 1))
	}
done <cases
[ "$wrong" -ne 0 ] || ok "$count ways of a kernel to answer wrongly are told"

wrong=0
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32; do
	in_ns timeout 20 "$faulty" run "netlink:flips-$n" -q -o flips.socklapse 2>err || {
		not_ok "flips-$n" "code $?: $(head -n 1 err)"
		wrong=$((wrong + 1))
	}
done
"$lapse" -f flips.socklapse sql 'SELECT count(*), max(rtt_us), max(pid) FROM socket' >out 2>err
is 'bits turned over in messages: what was read is what is recorded' "$wrong $(cat err)" '0 '
stop $load
exit 0 # not what the load ended with
