#!/bin/sh
# truth.sh BUILD [SECONDS] [CONNECTIONS] [CADENCES] - many connections pass through all TCP states at
# random times, recorded at several cadences at once (in ms); no bracket of `spell` may miss what
# the kernel's tracepoint says (or, without it, the driver's own clock). Prints how wide they are.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
seconds=${2:-40}
connections=${3:-340}
cadences=${4:-300 2000 9000}
seed=${TRUTH_SEED:-1}

make_network
# No other run's: its sockets close in their own time, under the same names as ours.
address=10.77.$(($$ % 250 + 1)).$(($$ / 250 % 250 + 1))
ip -n "$ns" addr add "$address/32" dev lo
tracing=/sys/kernel/tracing
mounted=
if [ ! -e $tracing/events ] && mount -t tracefs tracefs $tracing 2>/dev/null; then
	mounted=yes
fi
recorders=
for ms in $cadences; do
	ip netns exec "$ns" "$record" -q -i "${ms}ms" -o "r$ms.socklapse" 2>"err$ms" &
	recorders="$recorders $!"
done
pids="$pids $recorders"
sleep 1
mkfifo driver.in
# Not by `ip netns exec`, which hides tracefs.
nsenter --net="/run/netns/$ns" "$tools/truth" "$seconds" "$connections" "$seed" "$address" 10.99.1.9 \
	$tracing <driver.in >driver.out 2>driver.err &
driver=$!
pids="$pids $driver"
exec 3>driver.in
sleep "$seconds"
tries=0
until grep -qx end driver.out || [ $tries -gt 100 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
for pid in $recorders; do
	stop "$pid"
	is 'recorder ends well' "$?" 0
done
exec 3>&-
wait "$driver"
is 'driver ends well' "$?" 0
[ -z "$mounted" ] || umount $tracing
cat err* driver.err >errors
nothing_in 'nothing to complain of' errors
sed -n 's/^source,/truth by: /p' driver.out
sed -n 's/^truth,//p' driver.out >truth.csv

query() {
	sqlite3 -batch :memory: 2>&1 <<END
CREATE TABLE t (local_port INT, peer_port INT, state, entered_lo INT, entered_hi INT, left_lo INT,
	left_hi INT);
CREATE TABLE s (local_port INT, peer_port INT, state, entered_lo INT, entered_hi INT, left_lo INT,
	left_hi INT, at_least REAL, at_most REAL, guess_lo INT, guess_hi INT, assumption, source,
	inode INT);
.mode csv
.import truth.csv t
.import spells.csv s
UPDATE t SET left_lo = NULL, left_hi = NULL WHERE left_lo = '';
DELETE FROM t WHERE state = 'SYN-RECV' AND entered_hi - entered_lo > 1000000000; -- nobody knows
UPDATE s SET entered_lo = NULL WHERE entered_lo = '';
UPDATE s SET left_lo = NULL WHERE left_lo = '';
UPDATE s SET left_hi = NULL WHERE left_hi = '';
UPDATE s SET guess_lo = NULL WHERE guess_lo = '';
CREATE VIEW j AS SELECT local_port, peer_port, state, t.entered_lo AS tel, t.entered_hi AS teh,
	t.left_lo AS tll, t.left_hi AS tlh, s.entered_lo AS sel, s.entered_hi AS seh,
	s.left_lo AS sll, s.left_hi AS slh, at_least, at_most, guess_lo, guess_hi, assumption, source, inode
	FROM t JOIN s USING (local_port, peer_port, state);
.mode list
$1
END
}

# $1: cadence in ms; $2: who says it. Holds spells.csv against the truth.
compare() {
	ms=$1 name="$1 ms, $2"
	nothing_in "$name: spells can be had" err
	query "SELECT state, local_port, peer_port, 'entered', source, ((sel - teh) / 1e6) || ' ms late'
			FROM j WHERE sel > teh
		UNION ALL SELECT state, local_port, peer_port, 'entered', source,
			((tel - seh) / 1e6) || ' ms early' FROM j WHERE seh < tel
		UNION ALL SELECT state, local_port, peer_port, 'left', '', ((sll - tlh) / 1e6) || ' ms late'
			FROM j WHERE sll > tlh
		UNION ALL SELECT state, local_port, peer_port, 'left', '', ((tll - slh) / 1e6) || ' ms early'
			FROM j WHERE slh < tll;" >wrong
	compared=$(query 'SELECT count(*) FROM j;')
	like "$name: spells to compare" "$compared" '^[1-9][0-9]+$'
	nothing_in "$name: no bracket misses the truth" wrong
	query "SELECT state, local_port, peer_port, 'at least', at_least, (tlh - tel) / 1e6 FROM j
			WHERE at_least > (tlh - tel) / 1e6 + 1
		UNION ALL SELECT state, local_port, peer_port, 'at most', at_most, (tll - teh) / 1e6 FROM j
			WHERE at_most < (tll - teh) / 1e6 - 1;" >wrong
	nothing_in "$name: at least and at most hold" wrong
	query "ATTACH 'r$ms.socklapse' AS r;
		SELECT t.state, t.local_port, t.peer_port, (left_lo - entered_hi) / 1e6 FROM t
		WHERE (SELECT count(*) FROM r.snapshot WHERE wall_begin_ns > entered_hi
			AND wall_end_ns < left_lo) > 0 AND (SELECT count(*) FROM s
			WHERE s.local_port = t.local_port AND s.peer_port = t.peer_port
			AND s.state = t.state) <> 1;" >wrong
	nothing_in "$name: every spell that met a snapshot is told of once" wrong
	echo "$name: width of 'entered' in ms: median, mean, spells; of snapshots alone about $ms"
	query "SELECT printf('    %-15s %9.1f %9.1f %6d', state, max(w) FILTER (WHERE i = (n + 1) / 2),
		avg(w), n) FROM (SELECT kind AS state, (seh - sel) / 1e6 AS w,
			row_number() OVER (PARTITION BY kind ORDER BY seh - sel) AS i,
			count(*) OVER (PARTITION BY kind) AS n FROM (SELECT *, state || CASE
			WHEN state = 'FIN-WAIT-2' AND inode > 0 THEN ' open' ELSE '' END AS kind
			FROM j WHERE sel IS NOT NULL))
		GROUP BY state;"
}

columns='local_port, peer_port, state, entered_lo_ns, entered_hi_ns, left_lo_ns, left_hi_ns,
	at_least_ms, at_most_ms, NULL, NULL, assumption, entered_source, inode'
for ms in $cadences; do
	"$tools/truth_bounds" "r$ms.socklapse" "$address" >spells.csv 2>err
	compare "$ms" 'the bounds alone'
	"$lapse" -f "r$ms.socklapse" sql --csv -H "SELECT $columns FROM spell
		WHERE local = '$address' AND peer_port > 0 AND proto = 'tcp'" >spells.csv 2>err
	compare "$ms" 'table spell'
done
