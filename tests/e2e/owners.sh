#!/bin/sh
# owners.sh BUILD - who holds a socket that no process holds: TIME-WAIT and orphans have the owner
# that was last seen under their cookie (`history`), a connection that nobody has accepted has its
# listener's (`listener`). Recorded by one-shot runs, as cron does.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_driver
in_ns "$record" -q -o r.socklapse || not_ok 'first run' "exit code $?"
next_stage 'stage 1'
in_ns "$record" -q -o r.socklapse || not_ok 'second run' "exit code $?"
next_stage 'stage 2'
in_ns "$record" -q -o r.socklapse || not_ok 'third run' "exit code $?"
families=$(($(echo "$pairs" | wc -w) / 2))

client=$(in_ns ss -tnpH dport = :9200 | sed -n 's/.*slt-client",pid=\([0-9]*\).*/\1/p' | head -n 1)
client=${client:-$driver}
server=$(in_ns ss -tlnpH | sed -n 's/.*slt-server",pid=\([0-9]*\).*/\1/p' | head -n 1)

# $1: name; $2: condition; $3: what the rows have to be, each family has as many.
owners() {
	out=$("$lapse" -f r.socklapse sql --csv -H "SELECT count(*), min(owner_source), max(owner_source),
		min(comm), max(comm), min(pid), max(pid) FROM socket WHERE $2" 2>&1)
	is "$1" "$out" "$3"
}
inside="(local LIKE '10.99.%' OR local LIKE 'fd99:%')"
by_client="slt-client,slt-client,$client,$client"
by_server="slt-server,slt-server,$server,$server"

owners 'held by a process: fd' "$inside AND snapshot = 2 AND inode > 0 AND comm = 'slt-server' AND state = 'CLOSE-WAIT'" \
	"$((2 * families)),fd,fd,$by_server"
owners 'TIME-WAIT: history' "$inside AND snapshot = 2 AND state = 'TIME-WAIT'" \
	"$families,history,history,$by_client"
owners 'TIME-WAIT of orphans, two snapshots later: history' \
	"$inside AND snapshot = 3 AND state = 'TIME-WAIT'" "$((3 * families)),history,history,$by_client"
owners 'orphan in FIN-WAIT-2: history' \
	"$inside AND snapshot = 2 AND state = 'FIN-WAIT-2' AND inode = 0" "$families,history,history,$by_client"
for snapshot in 1 2; do
	owners "not accepted yet, snapshot $snapshot: listener" \
		"$inside AND snapshot = $snapshot AND state = 'ESTAB' AND inode = 0" \
		"$families,listener,listener,$by_server"
done
owners 'once accepted: fd' "$inside AND snapshot = 3 AND state = 'ESTAB' AND inode = 0" '0,,,,,,'
owners 'nobody is without an owner' "$inside AND pid IS NULL" '0,,,,,,'

text=$("$lapse" -f r.socklapse show --at end -tanp state time-wait 2>&1)
like 'show names the owner of a TIME-WAIT' "$text" 'slt-client'
like 'and marks it' "$text" 'history'
