#!/bin/sh
# columns.sh BUILD - every column of every socket, read back from a recording, is what the kernel
# said. rawdiag decodes the kernel's answer by itself, before and after the recording: a column that
# stood still has to be equal, one that moved (a time, a counter) has to lie in between.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_driver
next_stage 'stage 1'
mkfifo hold
ip netns exec "$ns" "$tools/oddsocks" 10.99.0.1 <hold >odd.out 2>odd.err &
odd=$!
pids="$pids $odd"
exec 4>hold
tries=0
until grep -qx ready odd.out; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 $odd 2>/dev/null; then
		nothing_in 'sockets with rare attributes' odd.err
		exit 1
	fi
	sleep 0.1
done
sed -n 's/^without \([^:]*\)/skip a socket with \1/p' odd.out
sleep 1.5

raw() {
	in_ns "$tools/rawdiag" | sed '/^proto,/d' >"$1"
}

# A key frame and a delta of it: both have to be right.
in_ns "$record" --marks -q -o r.socklapse
raw before.csv
in_ns "$record" --marks -q -o r.socklapse
raw after.csv
names=$(in_ns "$tools/rawdiag" | head -n 1 | tr ',' ' ')
"$lapse" -f r.socklapse sql --csv "SELECT *, hex(extra) AS extra_hex FROM socket WHERE snapshot = 2 AND proto IN ('tcp', 'udp')" >ours.csv 2>err
nothing_in 'the recording can be read' err

sqlite3 -batch r.db 2>sql.err <<END
CREATE TABLE before ($(echo "$names" | sed 's/ /, /g'));
CREATE TABLE after ($(echo "$names" | sed 's/ /, /g'));
.mode csv
.import before.csv before
.import after.csv after
.import ours.csv ours
CREATE INDEX b ON before (cookie);
CREATE INDEX a ON after (cookie);
END
nothing_in 'all of it can be compared' sql.err
recorded=$(sqlite3 r.db "SELECT name FROM pragma_table_info('ours')" | tr '\n' ' ')

is 'the same sockets' "$(sqlite3 r.db 'SELECT count(*) FROM ours')" \
	"$(sqlite3 r.db 'SELECT count(*) FROM before JOIN after USING (cookie)')"
: >wrong
equal=0
compared=0
for column in $names; do
	case " $recorded " in
	*" $column "*) ;;
	*) continue ;;
	esac
	case $column in proto | cookie) continue ;; esac
	compared=$((compared + 1))
	case $column in
	local | peer)
		differ="b.$column <> o.$column"
		;;
	last_*_ms) # runs up; if it shrank, something was sent or came in between
		differ="(o.$column = '') <> (b.$column = '') OR ((o.$column + 0 NOT BETWEEN b.$column + 0
			AND a.$column + 0) AND a.$column + 0 >= b.$column + 0)"
		;;
	timer_ms) # runs down; if it grew, it was set again in between, and nothing can be said
		differ="(o.timer_ms + 0 NOT BETWEEN a.timer_ms + 0 AND b.timer_ms + 0) AND a.timer_ms + 0 <= b.timer_ms + 0"
		;;
	*)
		# NULL is empty on both sides. SQL's integers have 63 bits: "no limit", which is all ones,
		# comes out as a real number.
		differ="(o.$column = '') <> (b.$column = '') OR (o.$column <> b.$column AND o.$column <> a.$column
			AND NOT (CAST(o.$column AS INTEGER) BETWEEN
			min(CAST(b.$column AS INTEGER), CAST(a.$column AS INTEGER)) AND
			max(CAST(b.$column AS INTEGER), CAST(a.$column AS INTEGER)))
			AND NOT (b.$column = '18446744073709551615' AND o.$column LIKE '1.84467440737%e+19'))"
		;;
	esac
	sqlite3 -batch r.db "SELECT '$column', o.state, 'kernel', b.$column, a.$column, 'recorded', o.$column
		FROM ours AS o JOIN before AS b USING (cookie) JOIN after AS a USING (cookie)
		WHERE $differ LIMIT 3" >>wrong 2>&1
	still=$(sqlite3 r.db "SELECT count(*) = 0 FROM before AS b JOIN after AS a USING (cookie)
		WHERE a.$column <> b.$column")
	[ "$still" = 1 ] && equal=$((equal + 1))
done

# States and timers are words in SQL, numbers on the wire.
sqlite3 -batch r.db "
	WITH state (number, word) AS (VALUES (1, 'ESTAB'), (2, 'SYN-SENT'), (3, 'SYN-RECV'), (4, 'FIN-WAIT-1'),
		(5, 'FIN-WAIT-2'), (6, 'TIME-WAIT'), (7, 'UNCONN'), (8, 'CLOSE-WAIT'), (9, 'LAST-ACK'),
		(10, 'LISTEN'), (11, 'CLOSING')),
	timer (number, word) AS (VALUES (0, ''), (1, 'on'), (2, 'keepalive'), (3, 'timewait'), (4, 'persist'))
	SELECT o.state, b.state_number, o.timer, b.timer_number
	FROM ours AS o JOIN before AS b USING (cookie)
	LEFT JOIN state ON state.number = CAST(b.state_number AS INTEGER)
	LEFT JOIN timer ON timer.number = CAST(b.timer_number AS INTEGER)
	WHERE o.state IS NOT state.word OR o.timer IS NOT timer.word OR o.proto IS NOT b.proto" >>wrong 2>&1
compared=$((compared + 3))
nothing_in "$compared columns as the kernel sent them, $equal of them stood still" wrong
like 'there was something to compare' "$compared" '^1[0-9][0-9]$'

# The rare attributes were there, each as one of its values.
for want in 'mark=20741' 'tos=40' 'class_id=5' "cong='bbr'" 'bbr_pacing_gain>0' "extra_hex LIKE '1300%'"; do
	is "a socket with $want" "$(sqlite3 r.db "SELECT count(*) > 0 FROM ours WHERE $want")" 1
done
is 'no key of TCP MD5 is in the recording' \
	"$(sqlite3 r.db "SELECT count(*) FROM ours WHERE extra_hex LIKE '%736563726574%'")" 0
for column in $names; do
	case " $recorded proto state_number timer_number family " in
	*" $column "*) ;;
	*) echo "$column" ;;
	esac
done >missing
nothing_in 'every field that rawdiag knows is recorded' missing
