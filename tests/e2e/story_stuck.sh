#!/bin/sh
# story_stuck.sh BUILD - stuck data: input that nobody reads, output that the peer does not take or
# does not acknowledge, a full backlog, connections that nobody accepts. `diff` names each with the
# reason and the process, and nothing else.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
near=$ns
ip -n "$near-far" addr add 10.99.1.9/24 dev wire
ns=$near-far
start_actor slt-far
ns=$near
for name in slt-server slt-client slt-lazy; do
	start_actor $name
done
tell slt-far listen 0 10.99.1.9 9000 8
tell slt-server listen 0 10.99.0.1 7000 8
tell slt-lazy listen 0 10.99.0.1 7001 1

# 1: fine; 2: input is not read; 3: the peer's window closes; 4: nothing is acknowledged
for i in 1 2 3; do
	tell slt-client connect $i 10.99.0.1 7000
	tell slt-server accept $i 0
done
tell slt-client connect 4 10.99.1.9 9000
tell slt-far accept 4 0
tell slt-client connect 5 10.99.0.1 7001
tell slt-client start 6 10.99.0.1 7001
tell slt-client start 7 10.99.0.1 7001
tell slt-client send 2 1000
tell slt-client send 3 50000000
ip -n "$near-far" addr del 10.99.1.9/24 dev wire
tell slt-client send 4 500
sleep 1.5
in_ns "$record" -q -o r.socklapse || not_ok 'first run' "exit code $?"
tell slt-client send 1 100
tell slt-server read 1 100
tell slt-client send 2 500
sleep 1.5
in_ns "$record" -q -o r.socklapse || not_ok 'second run' "exit code $?"

out=$("$lapse" -f r.socklapse diff start end 2>&1)
echo "$out" | sed 's/^/    /'
stuck=$(echo "$out" | grep '^stuck')
like 'input is not read, though more comes' "$stuck" \
	'ESTAB +1000 -> 1500 .*10\.99\.0\.1:7000 .* input not read +slt-server/'
like 'the peer takes nothing' "$stuck" \
	"10\.99\.0\.1:7000 +the peer's window is closed +slt-client/"
like 'and does not read it' "$stuck" \
	'ESTAB +[0-9]{5,} .*10\.99\.0\.1:7000 .* input not read +slt-server/'
like 'nothing is acknowledged, in spite of retries' "$stuck" \
	'ESTAB .* 500 .*10\.99\.1\.9:9000 +not acknowledged, retries: [1-9][0-9]* +slt-client/'
like 'a backlog is full' "$stuck" \
	'LISTEN +2 +1 +10\.99\.0\.1:7001 .* the backlog is full +slt-lazy/'
is 'connections that nobody accepts' "$(echo "$stuck" | grep -c 'not accepted  *slt-lazy/')" 2
is 'nothing else is stuck here' "$(echo "$stuck" | grep -Ec '10\.99\.')" 8
