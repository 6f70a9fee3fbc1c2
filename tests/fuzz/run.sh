#!/bin/sh
# run.sh BUILD [SECONDS] - a short run of every libFuzzer target of a build with -Dfuzzers=true,
# from its corpus. A finding stays in BUILD/fuzz-findings/, to be added to the corpus with its fix.
set -u
build=$(cd "${1:?usage: sh tests/fuzz/run.sh BUILD [SECONDS]}" && pwd) || exit 2
seconds=${2:-10}
corpora=$(cd "$(dirname "$0")" && pwd)/corpus
findings=$build/fuzz-findings
mkdir -p "$findings"
failed=0
for target in "$build"/tests/fuzz/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=${target##*/fuzz_}
	scratch=$(mktemp -d) || exit 2
	dictionary=$corpora/$name.dict
	set -- "$scratch" "$corpora/$name"
	[ ! -f "$dictionary" ] || set -- "-dict=$dictionary" "$@"
	if "$target" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=3000 -verbosity=1 \
		-print_final_stats=1 -artifact_prefix="$findings/$name-" "$@" >"$scratch.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch.log")
		echo "ok $name survived $runs inputs in $seconds s"
	else
		echo "not ok $name: $(grep -m1 -E 'ERROR|runtime error|SUMMARY' "$scratch.log")"
		grep -E '^ *#[0-9]' "$scratch.log" | head -n 12 | sed 's/^/    /'
		failed=1
	fi
	rm -rf "$scratch" "$scratch.log"
done
exit $failed
