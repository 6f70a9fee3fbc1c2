#!/bin/sh
# extension.sh BUILD - socklapse.so in SQLite's own shell. Skipped where there is none.
set -u
build=$(cd "$1" && pwd)
command -v sqlite3 >/dev/null || exit 77
# An address sanitizer has to be there before the shell is.
if readelf -d "$build/analyzer/socklapse.so" | grep -q 'libasan\|libubsan' ||
	nm -D "$build/analyzer/socklapse.so" | grep -q ' U __asan_init'; then
	exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$build/tests/golden/make_history" "$work/web1-20261122.socklapse" || exit 1
got=$(
	sqlite3 -bail :memory: <<-SQL 2>&1
		.load $build/analyzer/socklapse
		SELECT socklapse_open('$work');
		SELECT state, count(*) FROM socket WHERE snapshot = 4 GROUP BY state;
		SELECT comm, source FROM owner WHERE snapshot = 4 AND cookie = 6;
		SELECT sum(sockets) FROM tally;
		SELECT socklapse_open('$work');
	SQL
)
expected="6
CLOSE-WAIT|2
ESTAB|2
LISTEN|2
SYN-SENT|1
TIME-WAIT|1
UNCONN|1
cu)rl $(printf '\033')[1m|history
48"
case $got in
"$expected"*'a history is open already'*) exit 0 ;;
esac
printf 'expected:\n%s\ngot:\n%s\n' "$expected" "$got"
exit 1
