# lib.sh - what the end-to-end scripts share; sourced with the build directory as $1. Not for use
# by itself. Sets $record and $lapse (the two programs; $record looks at its own network namespace
# only, because other tests may have theirs; $record_all at all of them), $tools (the test programs) and $work, a
# directory that is removed at the end together with the namespaces and processes made here.
set -u
build=$(cd "${1:?usage: sh tests/e2e/NAME.sh BUILD}" && pwd) || exit 2
here=$(cd "$(dirname "$0")" && pwd)
record_all=$build/recorder/socklapse-record
lapse=$build/analyzer/socklapse
tools=$build/tests/e2e
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
work=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-test.XXXXXX") || exit 2
record=$(mktemp "${TMPDIR:-/tmp}/socklapse-record.XXXXXX") || exit 2
printf '#!/bin/sh\nexec "%s" --netns self "$@"\n' "$record_all" >"$record" && chmod 755 "$record"
namespaces=
pids=

tidy_up() {
	trap '' INT TERM
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null
	done
	for name in $namespaces; do
		ip netns del "$name" 2>/dev/null
	done
	rm -rf "$work" "$record"
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ok() {
	echo "ok $1"
}

not_ok() {
	echo "not ok $1: $2"
}

# $1: name; $2: what came out; $3: what should have.
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', not '$3'"
	fi
}

# $1: name; $2: text; $3: extended regular expression that it has to match.
like() {
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then
		ok "$1"
	else
		not_ok "$1" "got '$2', which is not like '$3'"
	fi
}

# The file must be empty; its first lines are the reason if it is not. $1: name; $2: file.
nothing_in() {
	if [ ! -s "$2" ]; then
		ok "$1"
	else
		not_ok "$1" "$(wc -l <"$2") lines"
		head -n 12 "$2" | sed 's/^/    /'
	fi
}

# Stops a process of ours that was started with & and waits for it. $1: pid; $2: signal.
stop() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# Two namespaces with a wire between them. In $ns, 10.99.0.1 and fd99::1 are local; whatever goes
# to 10.99.1.9 and fd99:1::9 arrives on the other side, where nobody answers. Sets $pairs.
make_network() {
	if [ "$(id -u)" -ne 0 ]; then
		echo 'skip all: needs root to make network namespaces'
		exit 0
	fi
	ns=slt-$$
	for name in "$ns" "$ns-far"; do
		ip netns add "$name" || {
			echo 'skip all: network namespaces cannot be made here'
			exit 0
		}
		namespaces="$namespaces $name"
	done
	ip netns exec "$ns" true 2>/dev/null || {
		echo 'skip all: network namespaces cannot be entered here'
		exit 0
	}
	ip -n "$ns" link add wire type veth peer name wire netns "$ns-far" || exit 2
	mac=02:00:00:00:00:09
	ip -n "$ns-far" link set wire address $mac up
	ip -n "$ns" link set lo up
	ip -n "$ns" link set wire up
	ip -n "$ns" addr add 10.99.0.1/32 dev lo
	ip -n "$ns" addr add 10.99.1.1/24 dev wire
	ip -n "$ns" neigh add 10.99.1.9 lladdr $mac dev wire nud permanent
	pairs='10.99.0.1 10.99.1.9'
	if ip -n "$ns" addr add fd99::1/128 dev lo nodad 2>/dev/null; then
		ip -n "$ns" addr add fd99:1::1/64 dev wire nodad
		ip -n "$ns" neigh add fd99:1::9 lladdr $mac dev wire nud permanent
		pairs="$pairs fd99::1 fd99:1::9"
	else
		echo 'skip IPv6: not available here'
	fi
}

# Not with &: $! would be a shell between us and the command, and stopping that leaves the command.
in_ns() {
	ip netns exec "$ns" "$@"
}

# Starts the driver in $ns, ready at stage 0. Its lines go to $work/driver.out.
start_driver() {
	mkfifo "$work/driver.in"
	# shellcheck disable=SC2086
	ip netns exec "$ns" "$tools/driver" $pairs <"$work/driver.in" >"$work/driver.out" &
	driver=$!
	pids="$pids $driver"
	exec 3>"$work/driver.in"
	await_stage 'stage 0'
}

# $1: the line that the driver prints when it is there.
await_stage() {
	tries=0
	until grep -qx "$1" "$work/driver.out"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 300 ] || ! kill -0 "$driver" 2>/dev/null; then
			not_ok "driver" "did not reach '$1'"
			exit 1
		fi
		sleep 0.1
	done
}

next_stage() {
	echo >&3
	await_stage "$1"
}

# Actors: processes that do with sockets what they are told (actor.c). Starts one called $1 in
# namespace $ns; orders go by `tell $1 ORDER`, which waits until it is done.
start_actor() {
	mkfifo "$work/$1.in"
	ip netns exec "$ns" "$tools/actor" "$1" <"$work/$1.in" >"$work/$1.out" 2>&1 &
	actor_pid=$!
	pids="$pids $actor_pid"
	# Held open for writing, or the actor would see the end of its orders.
	sleep 100000 >"$work/$1.in" &
	pids="$pids $!"
	echo "$actor_pid" >"$work/$1.pid"
	echo 0 >"$work/$1.orders"
}

tell() {
	actor=$1
	shift
	told=$(($(cat "$work/$actor.orders") + 1))
	echo "$told" >"$work/$actor.orders"
	echo "$*" >>"$work/$actor.in"
	tries=0
	until grep -qx "done $told" "$work/$actor.out"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || ! kill -0 "$(cat "$work/$actor.pid")" 2>/dev/null; then
			not_ok "$actor" "did not do '$*': $(tail -n 1 "$work/$actor.out")"
			exit 1
		fi
		sleep 0.02
	done
}

# Starts mix in $ns: one socket of every kind; returns when all are there.
start_mix() {
	mkfifo "$work/mix.in"
	# shellcheck disable=SC2086
	ip netns exec "$ns" "$tools/mix" $pairs <"$work/mix.in" >"$work/mix.out" &
	pids="$pids $!"
	exec 4>"$work/mix.in"
	tries=0
	until grep -qx ready "$work/mix.out"; do
		tries=$((tries + 1))
		[ "$tries" -le 300 ] || {
			not_ok mix 'did not get ready'
			exit 1
		}
		sleep 0.1
	done
}
