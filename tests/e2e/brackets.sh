#!/bin/sh
# brackets.sh BUILD - the bounds of `spell` against the driver's own clock, recorded at several
# cadences at once: no bracket may miss the truth, no spell that lasted may be missing, and each is
# told of once. Takes as long as a TIME-WAIT.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

cadences='100 500 3000'
make_network
recorders=
for ms in $cadences; do
	ip netns exec "$ns" "$record" -q -i "${ms}ms" -o "r$ms.socklapse" 2>"err$ms" &
	recorders="$recorders $!"
done
pids="$pids $recorders"
sleep 1
start_driver
sleep 7
next_stage 'stage 1'
sleep 7
next_stage 'stage 2'
sleep 57 # by now the TIME-WAITs of stage 1 are over for certain, those of stage 2 are not
for pid in $recorders; do
	stop "$pid"
	is "recorder ends well" "$?" 0
done
next_stage 'end'
cat err* >errors
nothing_in 'recorders have nothing to complain of' errors

sed -n 's/^spell,//p' driver.out >truth.csv
columns='proto, local, local_port, peer, peer_port, state, comm, pid, owner_source, entered_lo_ns,
	entered_hi_ns, left_lo_ns, left_hi_ns, at_least_ms, at_most_ms'

# Prints the rows of a query over the tables truth and spell; empty values are NULL.
query() {
	sqlite3 -batch :memory: 2>&1 <<END
CREATE TABLE t (name, proto, local, local_port INT, peer, peer_port INT, state, entered_lo INT,
	entered_hi INT, left_lo INT, left_hi INT, pid INT, comm, source);
CREATE TABLE s (proto, local, local_port INT, peer, peer_port INT, state, comm, pid INT, source,
	entered_lo INT, entered_hi INT, left_lo INT, left_hi INT, at_least REAL, at_most REAL);
.mode csv
.import truth.csv t
.import spells.csv s
UPDATE t SET left_lo = NULL, left_hi = NULL WHERE left_lo = '';
UPDATE t SET peer = '*', peer_port = 0 WHERE state IN ('LISTEN', 'UNCONN');
UPDATE s SET peer = '*', peer_port = 0 WHERE state IN ('LISTEN', 'UNCONN');
UPDATE s SET entered_lo = NULL WHERE entered_lo = '';
UPDATE s SET entered_hi = NULL WHERE entered_hi = '';
UPDATE s SET left_lo = NULL WHERE left_lo = '';
UPDATE s SET left_hi = NULL WHERE left_hi = '';
UPDATE s SET at_most = NULL WHERE at_most = '';
CREATE VIEW j AS SELECT t.name, t.state, t.entered_lo AS tel, t.entered_hi AS teh, t.left_lo AS tll,
	t.left_hi AS tlh, t.comm AS t_comm, t.pid AS t_pid, t.source AS t_source, s.entered_lo AS sel,
	s.entered_hi AS seh, s.left_lo AS sll, s.left_hi AS slh, s.comm AS s_comm, s.pid AS s_pid,
	s.source AS s_source, s.at_least, s.at_most
	FROM t JOIN s USING (proto, local, local_port, peer, peer_port, state);
.mode list
$1
END
}

for ms in $cadences; do
	# What the recorder managed in fact: the longest way from a snapshot's begin to the next one's end.
	gap=$(sqlite3 "r$ms.socklapse" 'SELECT max(next - begin) / 1000000 + 1 FROM (SELECT
		wall_begin_ns AS begin, lead(wall_end_ns) OVER (ORDER BY id) AS next FROM snapshot)')
	first=$(sqlite3 "r$ms.socklapse" 'SELECT min(wall_begin_ns) FROM snapshot')
	"$lapse" -f "r$ms.socklapse" sql --csv -H "SELECT $columns FROM spell" >spells.csv 2>err
	nothing_in "$ms ms: spells can be asked for" err
	like "$ms ms: spells to compare" "$(query 'SELECT count(*) FROM j;')" '^[1-9][0-9]'

	query "SELECT name, state, 'entered', (sel - teh) / 1e6 || ' ms late' FROM j WHERE sel > teh
		UNION ALL SELECT name, state, 'entered', (tel - seh) / 1e6 || ' ms early' FROM j WHERE seh < tel
		UNION ALL SELECT name, state, 'left', (sll - tlh) / 1e6 || ' ms late' FROM j WHERE sll > tlh
		UNION ALL SELECT name, state, 'left', (tll - slh) / 1e6 || ' ms early' FROM j WHERE slh < tll
		UNION ALL SELECT name, state, 'left', 'but was still there' FROM j WHERE tll IS NULL
			AND sll IS NOT NULL;" >wrong
	nothing_in "$ms ms: no bracket misses the truth" wrong

	query "SELECT name, state, 'at least', at_least, (tlh - tel) / 1e6 FROM j
			WHERE at_least > (tlh - tel) / 1e6 + 1
		UNION ALL SELECT name, state, 'at most', at_most, (tll - teh) / 1e6 FROM j
			WHERE at_most < (tll - teh) / 1e6 - 1;" >wrong
	nothing_in "$ms ms: at least and at most hold" wrong

	query "SELECT t.name, t.local, t.local_port, t.state, (left_lo - entered_hi) / 1e6 FROM t
		WHERE coalesce(left_lo, entered_hi + 3600000000000) - entered_hi > ($gap * 2 + 50) * 1e6
		AND (SELECT count(*) FROM s WHERE s.proto = t.proto AND s.local = t.local
			AND s.local_port = t.local_port AND s.peer_port = t.peer_port
			AND s.state = t.state) <> 1;" >wrong
	nothing_in "$ms ms: every spell that lasted is told of once" wrong

	query "SELECT name, state, 's_comm', s_comm, t_comm, s_pid, t_pid, s_source, t_source FROM j
		WHERE (s_comm IS NOT t_comm OR s_pid IS NOT t_pid OR s_source IS NOT t_source)
		AND coalesce(tll, teh + 3600000000000) - teh > ($gap * 2 + 50) * 1e6;" >wrong
	nothing_in "$ms ms: every spell has its owner" wrong

	query "SELECT state, count(*), max(coalesce(seh - sel, 0)) / 1e6 FROM j WHERE sel IS NOT NULL
		AND sel >= $first AND seh - sel > $gap * 1e6 GROUP BY state;" >wrong
	nothing_in "$ms ms: no bracket is wider than the time between two snapshots" wrong
	printf '%s ms (at worst %s): median width of entered, ms:' "$ms" "$gap"
	query "SELECT ' ' || state || ' ' || round(w / 1e6, 1) FROM (SELECT state, seh - sel AS w,
		row_number() OVER (PARTITION BY state ORDER BY seh - sel) AS i,
		count(*) OVER (PARTITION BY state) AS n FROM j) WHERE i = (n + 1) / 2;" | tr '\n' ' '
	echo
done
