#!/bin/sh
# elsewhere.sh BUILD - snapshots that look elsewhere (other tables, other namespaces) between others:
# what they do not look at has neither ended nor begun, and diff says so.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
make_network
start_actor server
tell server listen 1 10.99.0.1 7001 5
tell server connect 2 10.99.0.1 7001
tell server accept 3 1

snapshot() {
	in_ns "$record" -q -o r.socklapse "$@" || not_ok "recorder $*" "exit $?"
	sleep 0.1
}
snapshot --netns self
snapshot --netns self -A tcp
snapshot --netns self -A udp
snapshot --netns self -A unix
snapshot --netns self -A tcp
is 'other tables do not end a connection' "$("$lapse" -f r.socklapse sql --csv -H \
	"SELECT state, first_snapshot, last_snapshot, open FROM spell WHERE proto = 'tcp' ORDER BY state, local_port = 7001")" \
	"ESTAB,1,5,1
ESTAB,1,5,1
LISTEN,1,5,1"
like 'diff warns of it' "$("$lapse" -f r.socklapse diff '#2' '#3' 2>&1 >out)" \
	'warning: #[23]: .*some-tables.*did not look at'
is 'but not if both looked at the same' "$("$lapse" -f r.socklapse diff '#2' '#5' 2>&1 >out)" ''
is 'trend counts what was there all the time' "$("$lapse" -f r.socklapse trend --by proto,state --csv -H |
	grep -m 1 '^tcp,ESTAB')" 'tcp,ESTAB,2,2,2,2,0'

# The recorder outside sees all namespaces, then twice only its own.
for netns in all self self all; do
	"$record" -q -o all.socklapse -A tcp --netns $netns
	sleep 0.1
done
is 'other namespaces do not end one either' "$("$lapse" -f all.socklapse sql --csv -H \
	"SELECT state, open FROM spell WHERE local = '10.99.0.1' ORDER BY state")" \
	"ESTAB,1
ESTAB,1
LISTEN,1"
