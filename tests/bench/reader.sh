#!/bin/sh
# shellcheck disable=SC2154,SC2016
# reader.sh - the part of run.sh about socklapse, with $work, $build and $quick set: a made-up day
# (history.c), the questions of an engineer, and one of them asked of the same rows kept otherwise.
set -eu
lapse=$build/analyzer/socklapse
tools=$build/tests/bench
snapshots=1440 runs=${RUNS:-3} rows_of=72
[ "$quick" -eq 0 ] || snapshots=144 runs=1 rows_of=24
day=$work/day.socklapse

made=$(nice "$tools/history" -n "$snapshots" "$day")
"$tools/history" -s 200 -n "$snapshots" "$work/small.socklapse" >&2
"$tools/history" -s 200000 -n 12 "$work/large.socklapse" >&2

# $1: what it is; $2: file; the rest: arguments. A row of the table.
ask() {
	what=$1 file=$2
	shift 2
	echo "  $what" >&2
	"$tools/timed" "$runs" "$lapse" -f "$file" "$@" >"$work/timed" || {
		echo "| $what | failed | | | |"
		return
	}
	awk -v what="$what" '{ printf "| %s | %.2f | %.2f | %.2f | %.0f |\n", what, $1 / 1000, $2 / 1000, $3 / 1000, $4 / 1024 }' \
		"$work/timed"
}

head_of_table() {
	printf '\n| question | wall s | CPU s | user s | peak MiB |\n|---|--:|--:|--:|--:|\n'
}

bytes_of() {
	stat -c %s "$1"
}

cat <<END

## Reader

A made-up day of $snapshots snapshots a minute apart, of about 20,000 sockets: pools with slow churn, 8 % TIME-WAIT, 27 % active, a leak
(\`tests/bench/world.h\`; its activity is more random than a real load's). $made.
Least of $runs runs one after the other, the file in the page cache; memory is the most.

File: $(bytes_of "$day") bytes. One of a host with 200 sockets, as many snapshots: $(bytes_of "$work/small.socklapse") bytes.

\`\`\`
$("$tools/sizes" "$day")
\`\`\`
END
head_of_table
middle=$((snapshots / 2))
tuple=$("$lapse" -f "$day" sql "SELECT 'sport = ' || local_port || ' and dport = ' || peer_port FROM socket \
WHERE snapshot = $middle AND peer_port = 9092 LIMIT 1" -H)
ask '`list`' "$day" list
ask '`linger`' "$day" linger
ask '`linger --by comm`' "$day" linger --by comm
ask '`linger --by comm,state`' "$day" linger --by comm,state
ask '`linger state close-wait`' "$day" linger state close-wait
ask 'one connection through the day: `linger '"$tuple"'`' "$day" linger "$tuple"
ask 'the same: `trace '"$tuple"'`' "$day" trace "$tuple"
ask '`linger --evidence always`' "$day" linger --evidence always
ask '`trend`' "$day" trend
ask "\`diff #$((middle - 5)) #$((middle + 5))\`" "$day" diff "#$((middle - 5))" "#$((middle + 5))"
for n in 1 17 $((middle - 1)) $((snapshots / 12 * 5 + 7)) "$snapshots"; do
	ask "\`show -a --at #$n\`" "$day" show -a --at "#$n"
done
ask "\`show -aiempo --at #$middle\`" "$day" show -aiempo --at "#$middle"
ask "\`show -t state close-wait --at #$middle\`" "$day" show -t --at "#$middle" state close-wait
ask '200,000 sockets, twelve snapshots: `show -a --at end`' "$work/large.socklapse" show -a --at end
ask '200,000 sockets, twelve snapshots: `show -aiempo --at end`' "$work/large.socklapse" \
	show -aiempo --at end

# ------------------------------------------------------------------ the same rows, kept otherwise
csv=$work/rows.csv
"$tools/history" -n "$rows_of" -c "$csv" "$work/part.socklapse" >&2
question="SELECT comm, state, count(*), sum(until - since) FROM
  (SELECT max(comm) AS comm, state, min(wall_ms) AS since, max(wall_ms) AS until
   FROM rows GROUP BY cookie, state) GROUP BY comm, state"

# $1: what; $2: file, for its size; the rest: the command.
otherwise() {
	what=$1 file=$2
	shift 2
	echo "  $what" >&2
	"$tools/timed" 1 "$@" >"$work/timed"
	awk -v what="$what" -v bytes="$(bytes_of "$file")" -v rows="$(($(wc -l <"$csv") - 1))" -v times=$((snapshots / rows_of)) \
		'{ printf "| %s | %.2f | %.2f | %.2f | %.0f | %.1f |\n", what, $1 / 1000, $1 * times / 1000, $2 / 1000, $4 / 1024, bytes / rows }' "$work/timed"
}

cat <<END

### The same rows, kept otherwise

The first $rows_of snapshots, and of each row 26 of the columns; the question is how long each connection was seen in each state, summed by comm and
state. *scaled* is the wall time times $((snapshots / rows_of)), for $snapshots snapshots: a guess, since what sorts or hashes grows faster.

| what | wall s | scaled | CPU s | peak MiB | bytes a row |
|---|--:|--:|--:|--:|--:|
END
for evidence in never always; do
	otherwise "\`socklapse linger --by comm,state --evidence $evidence\`" "$work/part.socklapse" \
		"$lapse" -f "$work/part.socklapse" linger --by comm,state --evidence $evidence
done
sqlite3 "$work/rows.db" "PRAGMA journal_mode = off" "PRAGMA synchronous = off" \
	".import --csv $csv text_rows" \
	"CREATE TABLE rows AS SELECT CAST(snapshot AS INT) AS snapshot, CAST(wall_ms AS INT) AS wall_ms, proto, state,
	 local, CAST(local_port AS INT) AS local_port, peer, CAST(peer_port AS INT) AS peer_port,
	 CAST(cookie AS INT) AS cookie, CAST(inode AS INT) AS inode, CAST(uid AS INT) AS uid, CAST(pid AS INT) AS pid, comm,
	 CAST(fd AS INT) AS fd, CAST(recvq AS INT) AS recvq, CAST(sendq AS INT) AS sendq, timer,
	 CAST(timer_ms AS INT) AS timer_ms, CAST(retrans AS INT) AS retrans, CAST(rtt_us AS INT) AS rtt_us,
	 CAST(cwnd AS INT) AS cwnd, CAST(bytes_sent AS INT) AS bytes_sent, CAST(bytes_received AS INT) AS bytes_received,
	 CAST(last_data_sent_ms AS INT) AS last_data_sent_ms, CAST(last_data_recv_ms AS INT) AS last_data_recv_ms,
	 CAST(last_ack_recv_ms AS INT) AS last_ack_recv_ms FROM text_rows" \
	'DROP TABLE text_rows' 'CREATE INDEX by_socket ON rows (cookie, state, wall_ms, comm)' \
	'CREATE INDEX by_snapshot ON rows (snapshot)' VACUUM >&2
otherwise 'SQLite, a row each, an index that covers the question' "$work/rows.db" \
	sqlite3 "$work/rows.db" "$question"
gzip -k "$csv"
# shellcheck disable=SC2016
otherwise 'zcat, awk' "$csv.gz" sh -c 'zcat "$1" | awk -F, "
	NR > 1 { k = \$9 FS \$4; if (!(k in since)) since[k] = \$2; until[k] = \$2; if (\$13 != \"\") comm[k] = \$13 }
	END { for (k in since) { split(k, a, FS); s[comm[k] FS a[2]] += until[k] - since[k]; n[comm[k] FS a[2]]++ }
	for (g in s) print g, n[g], s[g] }"' sh "$csv.gz"

# ------------------------------------------------------------------------ the whole day in DuckDB
# It is not in Debian; npm has it.
if ! { command -v npm && npm install --silent --prefix "$work/duckdb" @duckdb/node-api; } >&2; then
	printf '\nDuckDB was not to be had.\n'
	exit 0
fi
duckdb() {
	NODE_PATH="$work/duckdb/node_modules" "$tools/timed" "$1" node tests/bench/duckdb.js "$2" "$3"
}
row() {
	awk -v what="$1" -v bytes="$(bytes_of "$2")" \
		'{ printf "| %s | %.2f | %.2f | %.0f | %.0f |\n", what, $1 / 1000, $2 / 1000, $4 / 1024, bytes / 1048576 }'
}
echo '  DuckDB' >&2
nice "$tools/history" -n "$snapshots" -c "$csv" "$work/again.socklapse" >&2
duckdb 1 "COPY (SELECT * FROM read_csv('$csv')) TO '$work/rows.parquet' (FORMAT parquet)" 'SELECT version()' >&2
rm "$csv"
cat <<END

The same question of the whole day, $snapshots snapshots, DuckDB with two threads, in one run with Socklapse:

| what | wall s | CPU s | peak MiB | file MiB |
|---|--:|--:|--:|--:|
END
view="CREATE VIEW rows AS SELECT * FROM '$work/rows.parquet'"
duckdb "$runs" "$view" "$question" | row 'DuckDB on Parquet, 26 of the columns' "$work/rows.parquet"
for evidence in never always; do
	"$tools/timed" "$runs" "$lapse" -f "$day" linger --by comm,state --evidence $evidence |
		row "\`socklapse linger --by comm,state --evidence $evidence\`" "$day"
done
