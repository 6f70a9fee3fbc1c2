#!/bin/sh
# run.sh BUILD - runs the cases of cases.txt and compares with what is expected.
# UPDATE=1: writes the expected files instead.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
export LC_ALL=C TZ=UTC NO_COLOR=1
mkdir "$work/recordings"
"$build/tests/golden/make_history" "$work/recordings/web1-20261122.socklapse" || exit 1
"$build/tests/golden/make_history" "$work/db1-20261122.socklapse" db1 || exit 1
cd "$work" || exit 1
# How many bytes a frame takes is not what is tested here.
hide_sizes() {
	sed -E -e 's/^(recordings[^ ]*) .* ([0-9]+) +[0-9.]+$/\1 ... \2 .../' \
		-e 's/("bytes"|"bytes_each"): [0-9.]+/\1: 0/g' \
		-e 's/ +[0-9.]+k? +5ms$/ BYTES 5ms/' -e 's/,[0-9]+,5$/,BYTES,5/'
}
# shellcheck disable=SC2094 # cases.txt is only read
grep -v '^#' "$here/cases.txt" | while IFS= read -r line; do
	name=${line%%: *}
	# The words are quoted as a shell would have them; a leading # is no comment there.
	eval "set -- $(printf '%s' "${line#*: }" | sed 's/ #\([0-9]\)/ \\#\1/g')"
	"$build/analyzer/socklapse" -f recordings "$@" >out 2>err </dev/null
	code=$?
	{
		hide_sizes <out
		[ -s err ] && sed 's/^/stderr: /' err
		echo "exit $code"
	} >got
	if [ "${UPDATE:-}" = 1 ]; then
		cp got "$here/$name.out"
	elif ! diff -u "$here/$name.out" got; then
		echo "FAILED: $name"
		touch failed
	fi
done
[ ! -e failed ] || failed=1
exit "$failed"
