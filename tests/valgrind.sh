#!/bin/sh
# valgrind.sh BUILD - the programs as a user runs them, under valgrind: no invalid access, nothing
# used that was never set, no memory lost. (The unit tests run under the sanitizers instead.)
set -u
build=$(cd "${1:?usage: sh tests/valgrind.sh BUILD}" && pwd) || exit 2
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
work=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-test.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2

# $1: name; the rest: the command.
clean() {
	name=$1
	shift
	valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite \
		--track-fds=no --error-exitcode=99 --log-file=log "$@" >out 2>err </dev/null
	code=$?
	if [ "$code" -eq 0 ]; then
		echo "ok $name"
	else
		echo "not ok $name: code $code, $(head -n 1 err)"
		head -n 30 log | sed 's/^/    /'
	fi
}

record=$build/recorder/socklapse-record
lapse=$build/analyzer/socklapse
clean 'record: one snapshot' "$record" -o r.socklapse
clean 'record: five more' "$record" -o r.socklapse -n 5 -i 200ms --cmdline full --stats
"$build/tests/corrupt/good" good.socklapse
for words in 'info' 'list' 'show --at end -tuanp' 'show --at start -tan state close-wait' 'linger' \
	'linger --by comm,state --top 3' 'diff start end' 'diff start end --by comm'; do
	# shellcheck disable=SC2086
	clean "$words" "$lapse" -f good.socklapse $words
done
clean 'sql' "$lapse" -f good.socklapse sql 'SELECT * FROM socket JOIN spell USING (cookie) LIMIT 500'
clean 'list, of what was recorded here' "$lapse" -f r.socklapse list --json
