#!/bin/sh
# record_filter.sh BUILD - what socklapse-record keeps with a FILTER is what ss shows with the same
# one, in a network namespace of its own where nothing else changes.
. "$(dirname "$0")/lib.sh"
make_network
start_driver

# "LOCAL PEER" of each socket, sorted: ss leaves the state out if there is but one.
lines() {
	awk '{ print $(NF - 1), $NF }' | sed 's/%[^: ]*//g' | sort
}

own=
"$record" --help | grep -q -- '--netns' && own='--netns self'
n=0
while IFS= read -r filter; do
	n=$((n + 1))
	mkdir "$work/$n"
	# shellcheck disable=SC2086 # a filter is words
	in_ns ss -tuanH $filter | lines >"$work/$n/ss"
	# shellcheck disable=SC2086
	if ! in_ns "$record" -q -d "$work/$n" $own -A tcp,udp $filter 2>"$work/$n/err"; then
		not_ok "$filter" "$(cat "$work/$n/err")"
		continue
	fi
	"$lapse" -f "$work/$n" show -tuanH | lines >"$work/$n/lapse"
	if [ ! -s "$work/$n/ss" ]; then
		not_ok "$filter" 'ss shows nothing: this proves nothing'
	elif cmp -s "$work/$n/ss" "$work/$n/lapse"; then
		ok "$filter: $(wc -l <"$work/$n/ss") sockets"
	else
		not_ok "$filter" 'not what ss shows'
		diff "$work/$n/ss" "$work/$n/lapse" | head -n 12 | sed 's/^/    /'
	fi
done <<'END'
state established
state listening
state all exclude established
state syn-sent
dport < :10000
sport >= :10000
( dport > :1024 )
src 10.99.0.1
src 10.99.0.0/16
not src 10.99.0.0/16
dst [fd99::/16]
( src 10.0.0.0/8 or dst [fd99::/16] ) and not sport = :22
END
stop "$driver"
exit 0 # not what the load ended with
