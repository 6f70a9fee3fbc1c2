#!/bin/sh
# shell.sh BUILD - a socket that was bound explicitly and is held while its connection is in
# TIME-WAIT is told of twice by the kernel (since 6.8): as TIME-WAIT, and closed. It is one
# connection in TIME-WAIT, from the first snapshot that saw it on.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_actor slt-server
start_actor slt-client
tell slt-server listen 0 10.99.0.1 7000 8
snapshot() {
	in_ns "$record" -q -o r.socklapse || not_ok "run $1" "exit code $?"
}
for i in 1 2; do
	tell slt-client connect $i 10.99.0.1 7000 10.99.0.1 700$i
	tell slt-server accept $i 0
done
snapshot 1
tell slt-client shut 1
tell slt-server close 1
tell slt-client await 1 7 # the full socket is closed: its remnant is in TIME-WAIT
snapshot 2
snapshot 3
tell slt-server send 2 10
tell slt-client send 2 10
tell slt-server close 2 # unread input: a reset
tell slt-client await 2 7
snapshot 4
tell slt-client close 1
tell slt-client close 2
snapshot 5

where="local = '10.99.0.1' AND peer_port = 7000"
twice=$("$lapse" -f r.socklapse sql --csv -H "SELECT state FROM socket
	WHERE $where AND local_port = 7001 AND snapshot = 2 ORDER BY 1")
if [ "$twice" = TIME-WAIT ]; then
	echo 'skip shells: this kernel does not tell of sockets that are only bound'
	exit 0
fi
is 'a snapshot has both rows' "$twice" "TIME-WAIT
UNCONN"
is 'no snapshot says duplicates' "$("$lapse" -f r.socklapse sql --csv -H \
	"SELECT count(*) FROM snapshot WHERE flags & 4")" 0
spells() {
	"$lapse" -f r.socklapse sql --csv -H "SELECT state, first_snapshot, last_snapshot,
		coalesce(state_before, '-'), coalesce(state_after, '-'), comm FROM spell
		WHERE $where AND local_port = $1 ORDER BY first_snapshot"
}
is 'TIME-WAIT is seen at once, and is no other connection' "$(spells 7001)" \
	"ESTAB,1,1,-,TIME-WAIT,slt-client
TIME-WAIT,2,5,ESTAB,-,slt-client"
is 'what a reset leaves is closed and held' "$(spells 7002)" \
	"ESTAB,1,3,-,UNCONN,slt-client
UNCONN,4,4,ESTAB,-,slt-client"
text=$("$lapse" -f r.socklapse diff '#1' '#3' sport = :7001 2>&1)
is 'diff tells of it once' "$(echo "$text" | grep -c ':7001 ')" 1
like 'as what it is' "$text" 'changed.*ESTAB -> TIME-WAIT'
