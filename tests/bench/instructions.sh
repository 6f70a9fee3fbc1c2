#!/bin/sh
# instructions.sh BUILD - the hot paths take no more instructions a row than they did: callgrind's
# count, which no other load disturbs. The bounds in instructions.txt are half as high again as
# what gcc 12 gave; a change that makes something slower on purpose changes them.
# Exits 77 (skipped) without valgrind.
set -eu
build=$(cd "${1:?usage: sh tests/bench/instructions.sh BUILD}" && pwd)
bounds=$(cd "$(dirname "$0")" && pwd)/instructions.txt
command -v callgrind_annotate >/dev/null || exit 77
work=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-count.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# $1: name of the count; the rest: the command. Leaves inclusive counts in NAME.counts.
count() {
	name=$1
	shift
	valgrind -q --tool=callgrind --callgrind-out-file="$name.out" "$@" >"$name.stdout"
	callgrind_annotate --inclusive=yes --threshold=100 "$name.out" >"$name.counts"
}

count write "$build/tests/bench/history" -s 500 -n 30 day.socklapse
rows=$(sed -n 's/.* \([0-9]*\) rows.*/\1/p' write.stdout)
lapse=$build/analyzer/socklapse
tuple=$("$lapse" -f day.socklapse sql "SELECT 'sport = ' || local_port || ' and dport = ' || peer_port \
FROM socket WHERE snapshot = 15 AND peer_port = 9092 LIMIT 1" -H)
count linger "$lapse" -f day.socklapse linger --by comm --evidence always
count trace "$lapse" -f day.socklapse trace "$tuple"
count show "$lapse" -f day.socklapse show -aiem --at end

# Lines of bounds: which count, function, instructions a row.
failed=0
while read -r name function bound; do
	case $name in
	'' | '#'*) continue ;;
	esac
	seen=$(awk -v f=":$function " -v rows="$rows" 'index($0, f) {
		gsub(",", "", $1); printf "%.1f", $1 / rows; exit }' "$name.counts")
	verdict=$(awk -v seen="${seen:-0}" -v bound="$bound" 'BEGIN {
		if (seen + 0 == 0) print "not seen"
		else print (seen + 0 > bound + 0) ? "too many" : "ok" }')
	echo "$verdict: $function in $name: ${seen:-0} instructions a row, at most $bound"
	[ "$verdict" = ok ] || failed=1
done <"$bounds"
exit $failed
