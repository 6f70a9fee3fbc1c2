#!/bin/sh
# story_kafka.sh BUILD - nothing reaches Kafka: the broker's address changed, a process kept the old
# one, and its SYNs are not answered. `trace` tells in one go who has been trying, since when, with
# how many retries, to which address; when the last connection to that port was established, and to
# where; and what the watched name resolved to.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
near=$ns
ip -n "$near-far" addr add 10.99.1.9/24 dev wire
ns=$near-far
start_actor slt-broker
ns=$near
start_actor slt-consumer
# `ip netns exec` puts this in the place of /etc/hosts.
mkdir -p "/etc/netns/$ns"
trap 'rm -rf "/etc/netns/$ns"; tidy_up' EXIT
resolves_to() {
	echo "$1 kafka.example" >"/etc/netns/$ns/hosts"
}
tell slt-broker listen 0 10.99.1.9 9200 8
snapshot() {
	in_ns "$record" -q --watch-name kafka.example:9200 -o r.socklapse ||
		not_ok "run $1" "exit code $?"
}
resolves_to 10.99.1.9
tell slt-consumer connect 1 10.99.1.9 9200
tell slt-broker accept 1 0
snapshot 1
tell slt-consumer close 1
tell slt-broker close 1
ip -n "$ns-far" addr del 10.99.1.9/24 dev wire # the broker moves
resolves_to 10.99.0.1
begin=$(date +%s%N)
tell slt-consumer start 2 10.99.1.9 9200
snapshot 2
sleep 1.3 # the first retry is after 1 s
snapshot 3
sleep 2.5 # the second one after 3 s, or earlier
snapshot 4

out=$("$lapse" -f r.socklapse trace state syn-sent dport = :9200 2>&1)
echo "$out" | sed 's/^/    /'
pid=$(cat slt-consumer.pid)
like 'who is trying, and to which address' "$out" \
	"^tcp 10\.99\.1\.1:[0-9]+ -> 10\.99\.1\.9:9200 on .*, slt-consumer,pid=$pid \(fd\), opened by this host"
like 'in which state' "$out" ' state +SYN-SENT '
like 'with how many retries' "$out" ' values .*retrans 1 -> [2-9]'
like 'still, at the end' "$out" ' still +SYN-SENT'
like 'when the last connection to that port was established, to where, and whose it was' "$out" \
	" before +port 9200: the last ESTAB is to 10\.99\.1\.9:9200 by slt-consumer,pid=$pid, left"
like 'what the name resolved to' "$out" ' 1 +name +kafka\.example:9200 resolves to 10\.99\.1\.9$'
like 'and when that changed' "$out" \
	' 2 +name +kafka\.example:9200 resolves to 10\.99\.1\.9 -> 10\.99\.0\.1$'

# Since when: the bracket is some 100 ms wide and has the moment of connect() in it.
since=$("$lapse" -f r.socklapse sql --csv -H "SELECT entered_lo_ns <= $begin + 50000000,
	entered_hi_ns >= $begin, (entered_hi_ns - entered_lo_ns) / 1000000 < 400 FROM spell
	WHERE state = 'SYN-SENT' AND peer_port = 9200")
is 'since when' "$since" '1,1,1'
