#!/bin/sh
# columns.sh BUILD - every column of every socket, read back from a recording, is what the kernel
# said. rawdiag decodes the kernel's answer by itself, before and after the recording: a column that
# stood still has to be equal, one that moved (a time, a counter) has to lie in between.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_driver
next_stage 'stage 1'
sleep 1.5

# Without CAP_NET_ADMIN, as the recorder works; no matter if setpriv is not there: no marks are set.
raw() {
	in_ns "$tools/rawdiag" | sed '/^proto,/d' >"$1"
}

# A key frame and a delta of it: both have to be right.
in_ns "$record" -q -o r.socklapse
raw before.csv
in_ns "$record" -q -o r.socklapse
raw after.csv
names=$(in_ns "$tools/rawdiag" | head -n 1 | tr ',' ' ')
"$lapse" -f r.socklapse sql --csv "SELECT * FROM socket WHERE snapshot = 2" >ours.csv 2>err
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
	*)
		# NULL is empty on both sides. Numbers that do not fit 63 bits are compared as text.
		differ="(o.$column = '') <> (b.$column = '') OR (o.$column <> b.$column AND o.$column <> a.$column
			AND NOT (CAST(o.$column AS INTEGER) BETWEEN
			min(CAST(b.$column AS INTEGER), CAST(a.$column AS INTEGER)) AND
			max(CAST(b.$column AS INTEGER), CAST(a.$column AS INTEGER))))"
		;;
	esac
	sqlite3 -batch r.db "SELECT '$column', o.state, 'kernel', b.$column, a.$column, 'recorded', o.$column
		FROM ours AS o JOIN before AS b USING (cookie) JOIN after AS a USING (cookie)
		WHERE $differ LIMIT 3" >>wrong 2>&1
	still=$(sqlite3 r.db "SELECT count(*) = 0 FROM before AS b JOIN after AS a USING (cookie)
		WHERE a.$column <> b.$column")
	[ "$still" = 1 ] && equal=$((equal + 1))
done
nothing_in "$compared columns as the kernel sent them, $equal of them stood still" wrong
like 'there was something to compare' "$compared" '^(9[0-9]|[1-9][0-9][0-9])$'
for column in $names; do
	case " $recorded proto state_number timer_number info_tail_bytes family " in
	*" $column "*) ;;
	*) echo "$column" ;;
	esac
done >missing
nothing_in 'every field that rawdiag knows is recorded' missing
