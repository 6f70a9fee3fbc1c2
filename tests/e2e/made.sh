#!/bin/sh
# made.sh BUILD - when was a socket made? By its inode and the recorder's marks: a listener, a socket
# that was made long before it was used, and a connection that was accepted late.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_actor slt-server
start_actor slt-client
snapshot() {
	in_ns "$record" -q -o r.socklapse || not_ok "run $1" "exit code $?"
}
snapshot 1
tell slt-server listen 0 10.99.0.1 7000 8
tell slt-client make 2 # used below
snapshot 2
tell slt-client connect 1 10.99.0.1 7000
snapshot 3
tell slt-server accept 1 0
tell slt-client start 2 10.99.1.9 9
snapshot 4

if [ "$("$lapse" -f r.socklapse sql --csv -H 'SELECT count(*) FROM watermark')" -eq 0 ]; then
	echo 'skip made: this recorder leaves no marks here'
	exit 0
fi
# $1: name; $2: which spells; $3 $4: snapshots between which the socket was made.
made() {
	is "$1" "$("$lapse" -f r.socklapse sql --csv -H "SELECT made_lo_ns >= a.time_ns
		AND made_lo_ns <= a.end_ns, made_hi_ns >= b.time_ns AND made_hi_ns <= b.end_ns
		FROM spell, snapshot AS a, snapshot AS b
		WHERE a.snapshot = $3 AND b.snapshot = $4 AND $2")" 1,1
}
made 'a listener' "state = 'LISTEN' AND local_port = 7000" 1 2
made 'one that was made before it was used' "state = 'SYN-SENT' AND peer_port = 9" 1 2
made 'a connection: when it was accepted' \
	"state = 'ESTAB' AND local_port = 7000 AND local = '10.99.0.1'" 3 4
made 'its other end: when that was made' "state = 'ESTAB' AND peer_port = 7000" 2 3
is 'a bound rests on it where it may' "$("$lapse" -f r.socklapse sql --csv -H "SELECT entered_source
	FROM spell WHERE state = 'LISTEN' AND local_port = 7000")" inode/snapshot
is 'and not where it may not: established before it was accepted' "$("$lapse" -f r.socklapse \
	sql --csv -H "SELECT entered_hi_ns < made_hi_ns FROM spell WHERE state = 'ESTAB'
	AND local_port = 7000 AND local = '10.99.0.1'")" 1
