#!/bin/sh
# story_ports.sh BUILD - TIME-WAITs pile up and ephemeral ports run out: which process opened those
# connections (the kernel no longer knows: history does), to which destination, and how many of
# ip_local_port_range are used per source, destination and port. `ports` tells in one go.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
in_ns sh -c 'echo 40000 40199 >/proc/sys/net/ipv4/ip_local_port_range'
start_actor slt-server
start_actor slt-curl
start_actor slt-other
tell slt-server listen 0 10.99.0.1 8080 64
tell slt-server listen 1 10.99.0.1 8081 64
snapshot() {
	in_ns "$record" -q -o r.socklapse || not_ok "run $1" "exit code $?"
}
i=2
while [ $i -le 91 ]; do
	tell slt-curl connect $i 10.99.0.1 8080
	tell slt-server accept $i 0
	i=$((i + 1))
done
while [ $i -le 101 ]; do
	tell slt-other connect $i 10.99.0.1 8081
	tell slt-server accept $i 1
	i=$((i + 1))
done
snapshot 1
i=2
while [ $i -le 81 ]; do
	tell slt-curl close $i
	tell slt-server close $i
	i=$((i + 1))
done
snapshot 2
out=$("$lapse" -f r.socklapse ports 2>&1)
echo "$out" | sed 's/^/    /'
like 'what is used to one destination, of how many, in which state, and who opened it' "$out" \
	'^ *10\.99\.0\.1 +10\.99\.0\.1 +8080 +90 +200 +45(\.0)? +80 +10 +slt-curl +90$'
like 'another port is another destination' "$out" \
	'^ *10\.99\.0\.1 +10\.99\.0\.1 +8081 +10 +200 +5(\.0)? +0 +10 +slt-other +10$'
is 'the ports of listeners are nobody else'"'"'s' "$(echo "$out" | grep -c '10\.99')" 2
out=$("$lapse" -f r.socklapse linger --by comm,dst,dport --top 3 state time-wait 2>&1)
like 'and how long they have lingered' "$out" '^slt-curl +10\.99\.0\.1 +8080 +80 +80 +0 '
like 'each known by history' "$out" 'TIME-WAIT .* slt-curl,pid=[0-9]+ +history'
