#!/bin/sh
# names.sh BUILD - watched names against a name server that is alive, changes its mind, or is dead:
# whatever it does, the snapshot is written at once and the run ends. Makes a network namespace in
# which the only name server is an address where nobody answers.
. "$(dirname "$0")/lib.sh"
make_network
mkdir "$work/out"
echo 'nameserver 10.99.1.9' >"$work/resolv.conf"
echo '10.1.0.2 kafka.test
10.1.0.1 kafka.test
10.1.0.1 kafka.test
fd00::1 kafka.test' >"$work/hosts"
echo 'hosts: files dns' >"$work/nsswitch.conf"

# The recorder with those files instead of the machine's. It takes the place of the shell.
cat >"$work/in-network" <<END
exec ip netns exec "$ns" unshare -m sh -c '
	for f in resolv.conf hosts nsswitch.conf; do
		mount --bind "$work/\$f" "/etc/\$f" || exit 9
	done
	exec "\$@"' sh "\$@"
END

in_network() {
	sh "$work/in-network" "$@"
}

rows() {
	sqlite3 "$work"/out/*.socklapse "$1"
}

in_network "$record" -d "$work/out" --watch-name kafka.test:9200
is 'addresses are sorted, each once' \
	"$(rows "SELECT snapshot, name, answer, error IS NULL FROM name")" \
	'1|kafka.test:9200|10.1.0.1 10.1.0.2 fd00::1|1'
in_network "$record" -d "$work/out" --watch-name kafka.test:9200
is 'no change, no row' "$(rows 'SELECT count(*) FROM name')" 1
echo '10.1.0.7 kafka.test' >"$work/hosts"
in_network "$record" -d "$work/out" --watch-name kafka.test:9200
is 'a change is a row' "$(rows 'SELECT snapshot, answer FROM name WHERE snapshot > 1')" '3|10.1.0.7'

# A name that only the dead server could know: 1 s of patience, of which the snapshot takes none.
begin=$(date +%s%N)
stats=$(in_network "$record" -d "$work/out" --watch-name dead.test --deadline 1s --stats)
took_ms=$((($(date +%s%N) - begin) / 1000000))
total_us=$(printf '%s\n' "$stats" | sed 's/.*"total_us":\([0-9]*\).*/\1/')
if [ "$took_ms" -ge 1000 ] && [ "$took_ms" -lt 4000 ]; then
	ok 'a dead name server: the run ends in time'
else
	not_ok 'a dead name server: the run ends in time' "$took_ms ms"
fi
if [ "$total_us" -lt 900000 ]; then
	ok 'a dead name server: the snapshot did not wait'
else
	not_ok 'a dead name server: the snapshot did not wait' "$total_us us"
fi
is 'a dead name server: said in the recording' \
	"$(rows "SELECT answer, error FROM name WHERE name = 'dead.test'")" '|no answer within 1 s'
is 'a name that is watched no more' \
	"$(rows "SELECT error FROM name WHERE name = 'kafka.test:9200' AND snapshot = 4")" 'not watched'

# A service: no snapshot is missed, and threads do not pile up.
sh "$work/in-network" "$record" -d "$work/out" -i 100ms --watch-name dead.test --watch-name dead2.test &
pid=$!
pids="$pids $pid"
sleep 3
# Itself, two names, and perhaps the walk of /proc that a snapshot starts.
like 'a service has a thread a name, no more' \
	"$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" '^[34]$'
before=$(date +%s%N)
kill -TERM "$pid"
wait "$pid"
is 'a service: ends without an error' "$?" 0
if [ $((($(date +%s%N) - before) / 1000000)) -lt 1000 ]; then
	ok 'a service that is told to end does not wait for the dead'
else
	not_ok 'a service that is told to end does not wait for the dead' 'more than 1 s'
fi
snapshots=$(rows 'SELECT max(id) FROM snapshot')
if [ "$snapshots" -ge 19 ]; then
	ok 'a service: snapshots go on'
else
	not_ok 'a service: snapshots go on' "$snapshots"
fi
like 'info tells when a name changed' "$("$lapse" -f "$work/out" info)" \
	'kafka.test:9200 +10.1.0.7 +- '
