#!/bin/sh
# holders.sh BUILD - who holds a connection, in the course of time: not yet accepted, accepted, held
# by a forked process too, by that one alone, and by nobody. `trace` tells each.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_actor slt-server
start_actor slt-client
snapshot() {
	in_ns "$record" -q -o r.socklapse || not_ok "run $1" "exit code $?"
}
tell slt-server listen 0 10.99.0.1 7000 8
tell slt-client connect 1 10.99.0.1 7000
snapshot 1
tell slt-server accept 1 0
snapshot 2
tell slt-server child
server=$(cat slt-server.pid)
child=$(cat "/proc/$server/task/$server/children" | tr -d ' ')
snapshot 3
tell slt-server close 1
snapshot 4
kill "$child"
tell slt-client await 1 8 # the last holder is gone: the peer has said FIN
snapshot 5

out=$("$lapse" -f r.socklapse trace sport = :7000 and dport '>' :0 2>&1)
owners=$(echo "$out" | sed -n 's/^.*  \([0-9]\)  owner  *//p')
is 'holders in the course of time' "$owners" "not accepted yet: nobody holds it
slt-server,pid=$server,fd=4
slt-server,pid=$server,fd=4 slt-server,pid=$child,fd=4
slt-server,pid=$child,fd=4
nobody holds it any more"
for holder in "$server" "$child"; do
	for command in linger trace trend; do
		found=$("$lapse" -f r.socklapse $command --to '#3' --json \
			pid = "$holder" and dport '>' :0 2>&1)
		like "$command finds it by its holder $holder" "$found" '"7000|"connections": *1|ESTAB'
	done
done
none=$("$lapse" -f r.socklapse linger --json pid = 1 2>&1)
like 'and not by another process' "$none" '"spells": *0'
like 'who opened it' "$out" ', opened by the peer,'
