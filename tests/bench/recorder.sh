#!/bin/sh
# shellcheck disable=SC2154,SC2016
# recorder.sh - the part of run.sh about socklapse-record, with $work, $build and $quick set.
#   recorder.sh                          all of it: calls itself for each load in namespaces of its
#                                        own, where /proc shows the load alone and no TIME-WAIT of
#                                        another load is left
#   recorder.sh measure SOCKETS PERIOD_S ROUNDS
#   recorder.sh sizes SNAPSHOTS INTERVAL
set -eu
record=$build/recorder/socklapse-record
tools=$build/tests/bench
rounds=4
[ "$quick" -eq 0 ] || rounds=3
figures=$work/figures
costs=$work/costs

# $1: sockets; $2: seconds between two exchanges of an active connection. Sets $load.
start_load() {
	echo "load of $1 sockets" >&2
	"$tools/load" "$1" 27 $(($1 / 4000 + 1)) 1 3600 "$2" >"$work/ready" &
	load=$!
	until grep -q . "$work/ready"; do sleep 0.2; done
	grep -q ready "$work/ready"
	sleep 3
}

stop_load() {
	kill "$load"
	wait "$load" 2>/dev/null || :
}

# One line of figures: sockets, what, wall ms, CPU ms, of that user ms, peak KiB, count, bytes.
note() {
	echo "$*" >>"$figures"
}

# $1: sockets; $2: dump or walk.
bare() {
	"$tools/timed" 1 sh -c "exec \"$tools/bare\" $2 >&9" 9>"$costs" >"$work/timed"
	note "$1" "bare-$2" "$(cat "$work/timed")" "$(cut -d ' ' -f 4,5 "$costs")"
}

# A member of the last line of --stats. $1: its name.
stat_of() {
	tail -n 1 "$costs" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

# $1: sockets; $2: cold (a new file) or warm (the next snapshot of it).
one_shot() {
	[ "$2" = warm ] || rm -f "$work/one.socklapse"
	"$tools/timed" 1 sh -c "exec \"$record\" --netns self -q --stats -o \"$work/one.socklapse\" >&9" \
		9>"$costs" >"$work/timed"
	note "$1" "one-shot-$2" "$(cat "$work/timed")" "$(stat_of sockets)" "$(stat_of bytes)"
}

ms() {
	awk '{ printf "%.1f", $1 / 1000 }'
}

start_service() {
	"$record" --netns self -q --stats -i 1h -o "$work/service.socklapse" >"$work/service" &
	service=$!
	until grep -q . "$work/service"; do sleep 0.2; done
}

# $1: sockets. A snapshot of the service that runs.
service_snapshot() {
	before=$(wc -l <"$work/service")
	kill -USR1 "$service"
	until [ "$(wc -l <"$work/service")" -gt "$before" ]; do sleep 0.2; done
	cp "$work/service" "$costs"
	note "$1" service "$(stat_of total_us | ms) $(stat_of cpu_us | ms) 0 $(stat_of max_rss_kib)" \
		"$(stat_of sockets) $(stat_of bytes)"
}

stop_service() {
	kill "$service"
	wait "$service" || :
	rm -f "$work/service.socklapse"*
}

# $1: sockets; $2: seconds between exchanges; $3: rounds.
measure() {
	start_load "$1" "$2"
	start_service
	for round in $(seq "$3"); do
		echo "  round $round" >&2
		bare "$1" dump
		bare "$1" walk
		one_shot "$1" cold
		one_shot "$1" warm
		service_snapshot "$1"
	done
	stop_service
	if [ "$quick" -eq 0 ] && [ "$1" -le 200000 ]; then
		echo '  ss, lsof' >&2
		note "$1" ss "$("$tools/timed" 1 ss -tanpoiem)" "$1" 0
		command -v lsof >/dev/null &&
			note "$1" lsof "$("$tools/timed" 1 lsof -nP -iTCP)" "$1" 0
	fi
	stop_load
}

sizes() {
	start_load 20000 2
	"$record" --netns self -q -i "$2" -n "$1" -o "$work/mixed.socklapse"
	stop_load
	printf '\n### Bytes: %s snapshots %s apart, 20,000 sockets, 27 %% active\n\n```\n' "$1" "$2"
	"$tools/sizes" "$work/mixed.socklapse"
	echo '```'
}

apart() {
	unshare --net --pid --fork --mount-proc sh -c \
		'ip link set lo up && exec sh tests/bench/recorder.sh "$@"' sh "$@"
}

everything() {
	: >"$figures"
	for size in '200000 30' '20000 5' '200 2'; do
		# shellcheck disable=SC2086
		apart measure $size "$rounds"
	done
	memory_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
	if [ "$quick" -eq 0 ] && [ "$memory_kib" -gt 14000000 ]; then
		apart measure 1000000 200 2
	fi
	cat <<END

## Recorder

Established TCP connections on loopback, both ends counted; 27 % of them exchange data, some come and go. Least of $rounds rounds (a million: 2); in
each round everything once, in turn. *bare dump*: the recorder's own requests, all attributes, thrown away. *bare walk*: every link of
\`/proc/PID/fd\`. *cold*: a new file, a key frame. *warm*: the next snapshot of that file. *service*: the next snapshot of a process that stays
(\`-i\`), by its own \`--stats\`; the others are processes measured as a whole. CPU is of all threads, wall is of a shared machine.
END
	awk -f tests/bench/recorder.awk "$figures"
	if [ "$quick" -eq 1 ]; then apart sizes 12 2s; else apart sizes 36 5s; fi
}

case ${1:-} in
'') everything ;;
*) "$@" ;;
esac
