#!/bin/sh
# json.sh BUILD - analyzer/JSON.md names every field of every command's JSON with its type: compared
# with what the commands print of the golden history. UPDATE=1: prints the tables as they should be.
set -u
build=$(cd "$1" && pwd)
doc=$(dirname "$0")/../../analyzer/JSON.md
command -v sqlite3 >/dev/null || exit 77
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C TZ=UTC NO_COLOR=1
mkdir "$work/recordings"
"$build/tests/golden/make_history" "$work/recordings/web1-20261122.socklapse" || exit 1

# Every COMMAND TABLE FIELD TYPE of the document in $work/json; a field that is null has no type.
types() {
	sqlite3 -separator ' ' :memory: "
		SELECT DISTINCT '$1', t.key, c.key, CASE c.type WHEN 'integer' THEN 'number' WHEN 'real'
		       THEN 'number' ELSE c.type END
		  FROM json_each(readfile('$work/json')) t,
		       json_each(CASE t.type WHEN 'array' THEN t.value ELSE json_array(json(t.value)) END) r,
		       json_each(r.value) c"
}

while read -r line; do
	command=${line%% *}
	# shellcheck disable=SC2086 # words are what is meant
	"$build/analyzer/socklapse" -f "$work/recordings" $line --json >"$work/json" || {
		echo "failed: $line"
		exit 1
	}
	types "$command"
done >"$work/said" <<-END
	info
	list
	linger
	linger --hist
	trace state close-wait
	trend
	show
	show -s
	diff start end
	diff #2 #4
	diff start end --by state
	ports
END

# What was a number once and null else is a number. NAME and NAME_ns are a time.
sort -u "$work/said" | awk '
	{ key = $1 " " $2 " " $3 }
	$4 != "null" && type[key] != "" && type[key] != $4 { print "two types: " key " " type[key] " " $4 }
	$4 != "null" { type[key] = $4 }
	!(key in seen) { seen[key] = 1 }
	END {
		for (key in seen) {
			if (key ~ /_ns$/ && substr(key, 1, length(key) - 3) in seen)
				continue
			if ((key "_ns") in seen)
				type[key] = "time"
			print key, type[key] == "" ? "null" : type[key]
		}
	}' | sort >"$work/printed"

# | TYPE | `field` `field` | below ## COMMAND and ### TABLE
awk '
	/^## / { command = $2 }
	/^### / { table = $2 }
	/^\| (number|text|time) \|/ {
		n = split($0, part, "`")
		for (i = 2; i <= n; i += 2)
			print command, table, part[i], $2
	}' "$doc" | sort >"$work/told"

if [ "${UPDATE:-}" = 1 ]; then
	awk '$1 " " $2 != at { at = $1 " " $2; print "\n" at } { print "  " $4, $3 }' "$work/printed"
	exit 0
fi
# A field that is null throughout the golden history has the type that the document gives it.
awk '
	FNR == NR { told[$1 " " $2 " " $3] = $4; next }
	{ key = $1 " " $2 " " $3 }
	!(key in told) { print "JSON.md lacks " $0 }
	key in told && $4 != "null" && told[key] != $4 { print "JSON.md says " told[key] ": " $0 }
	{ delete told[key] }
	END { for (key in told) print "nothing prints " key }' "$work/told" "$work/printed" >"$work/wrong"
sort "$work/wrong"
[ ! -s "$work/wrong" ]
