#!/bin/sh
# namespaces.sh BUILD - one snapshot of several network namespaces, with a name, with none and of a
# container; sockets that are hard to attribute (pairs, forked workers, passed descriptors);
# processes and namespaces that vanish meanwhile; a run without rights. Nothing that is recorded is
# kept alive by it.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
own=$(stat -L -c %i /proc/self/ns/net)
named=$(ip netns exec "$ns" stat -L -c %i /proc/self/ns/net)

ask() {
	"$lapse" -f "$1" sql --csv -H "$2" 2>&1
}
# $1: file; $2: name of a flag. How many snapshots have it.
flagged() {
	ask "$1" "SELECT count(*) FROM snapshot WHERE ' ' || replace(snapshot_flags(flags), ',', ' ') || ' ' LIKE '% $2 %'"
}
# $1: file with a process's output.
await_ready() {
	tries=0
	until grep -qx ready "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -gt 300 ] && {
			not_ok 'helper' "no 'ready' in $1"
			exit 1
		}
		sleep 0.05
	done
}

# --- the same scene in our own namespace, in one with a name and in one without
"$tools/cast" scene >own.out &
pids="$pids $!"
ip netns exec "$ns" "$tools/cast" scene >named.out &
pids="$pids $!"
unshare -n "$tools/cast" scene >unnamed.out &
unnamed_pid=$!
pids="$pids $unnamed_pid"
for place in own named unnamed; do await_ready $place.out; done
unnamed=$(stat -L -c %i "/proc/$unnamed_pid/ns/net")

"$record_all" -q -o r.socklapse || not_ok 'a snapshot' "exit code $?"
is 'each namespace once' "$(ask r.socklapse 'SELECT count(*) - count(DISTINCT netns) FROM netns')" 0
is 'its name is that of /run/netns' "$(ask r.socklapse "SELECT name FROM netns WHERE netns = $named")" "$ns"
is 'one without a name has none' \
	"$(ask r.socklapse "SELECT count(*), name IS NULL FROM netns WHERE netns = $unnamed")" 1,1
is 'each socket once' "$(ask r.socklapse 'SELECT count(*) - count(DISTINCT cookie) FROM socket WHERE inode > 0 AND proto <> '"'raw'")" 0
is 'none was lost' "$(flagged r.socklapse netns-lost)" 0
is 'counters of each' "$(ask r.socklapse "SELECT count(DISTINCT netns) FROM counter WHERE netns IN ($own, $named, $unnamed) AND name = 'Tcp.ActiveOpens'")" 3

for place in own named unnamed; do
	eval "inode=\$$place"
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^pair //p' $place.out)
	is "$place: both ends of a pair, with their processes" "$(ask r.socklapse "SELECT a.pid, b.pid FROM
		socket AS a JOIN socket AS b ON b.inode = a.peer_inode AND a.inode = b.peer_inode
		WHERE a.inode = $2 AND b.inode = $4 AND a.netns = $inode AND b.netns = $inode")" "$1,$3"
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^shared //p' $place.out)
	port=$1
	shift
	is "$place: all workers that share a listener" "$(ask r.socklapse "SELECT group_concat(pid, ' ') FROM
		(SELECT pid FROM owner WHERE netns = $inode AND local_port = $port ORDER BY pid)")" \
		"$(printf '%s\n' "$@" | sort -n | tr '\n' ' ' | sed 's/ $//')"
	is "$place: the first of them comes first" "$(ask r.socklapse "SELECT pid, owner_source FROM socket
		WHERE netns = $inode AND local_port = $port AND state = 'LISTEN'")" "$1,fd"
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^passed //p' $place.out)
	is "$place: a descriptor that was passed is its receiver's" "$(ask r.socklapse "SELECT pid, comm FROM owner
		WHERE netns = $inode AND local_port = $1")" "$2,cast-heir"
done

# --- chosen ones
"$record_all" -q --netns "$ns" -o one.socklapse
is 'by name' "$(ask one.socklapse 'SELECT group_concat(DISTINCT netns) FROM socket')" "$named"
"$record_all" -q --netns "self,$unnamed" -o two.socklapse
is 'ourselves and one by its number' "$(ask two.socklapse "SELECT count(DISTINCT netns), sum(netns = $named) FROM socket")" 2,0
is 'that others were left out is said' "$(flagged two.socklapse netns-part)" 1
"$record_all" -q --netns "$ns,$ns-none" -o none.socklapse
like 'that one is not there is said' "$("$lapse" -f none.socklapse info)" 'network namespaces: 1 of those that were asked for not found'
"$record_all" -q --netns self -o self.socklapse
is 'ourselves alone' "$(ask self.socklapse 'SELECT group_concat(DISTINCT netns) FROM socket')" "$own"

# --- settings of its own
if ip netns exec "$ns" sh -c 'echo 17 >/proc/sys/net/ipv4/tcp_fin_timeout' 2>/dev/null; then
	"$record_all" -q --netns "self,$ns" -o facts.socklapse
	is 'what is set otherwise than on the host' "$(ask facts.socklapse \
		"SELECT json_extract(facts, '\$.tcp_fin_timeout') FROM netns_fact WHERE netns = $named")" 17
else
	echo 'skip what is set otherwise than on the host: it cannot be set here'
fi

# --- a container
id=$(printf '%064d' $$)
for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
	[ -e "$root/cgroup.procs" ] && break
done
group=$root/slt-$$
if mkdir "$group" 2>/dev/null && mkdir "$group/docker-$id.scope" 2>/dev/null; then
	echo "$unnamed_pid" >"$group/docker-$id.scope/cgroup.procs" 2>/dev/null
	ip netns exec "$ns" true
	"$record_all" -q -o r.socklapse
	is 'the name of a container' "$(ask r.socklapse "SELECT name FROM netns WHERE netns = $unnamed")" "$id"
	"$record_all" -q --netns "$(echo "$id" | cut -c 1-63)" -o c.socklapse
	is 'by the beginning of its id' "$(ask c.socklapse 'SELECT group_concat(DISTINCT netns) FROM socket')" "$unnamed"
else
	echo 'skip the name of a container: no cgroup can be made here'
fi

# --- without rights
if command -v setpriv >/dev/null && mkdir nobody && chown 65534:65534 nobody && chmod 711 "$work"; then
	nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
	$nobody "$record_all" -q -o nobody/n.socklapse 2>err
	is 'nobody: a snapshot' "$?: $(head -n 1 err)" '0: '
	is 'nobody: it is said what was not seen' "$(flagged nobody/n.socklapse unprivileged),$(flagged nobody/n.socklapse netns-part)" 1,1
	is 'nobody: its own namespace alone' "$(ask nobody/n.socklapse 'SELECT group_concat(DISTINCT netns) FROM socket')" "$own"
	port=$(sed -n 's/^shared \([0-9]*\).*/\1/p' own.out)
	is 'nobody: the socket of another user, without its owner' \
		"$(ask nobody/n.socklapse "SELECT count(*), count(pid) FROM socket WHERE local_port = $port")" 1,0
else
	echo 'skip nobody: no setpriv'
fi

# --- capabilities: none in use that it does not need
"$record_all" -q -i 200ms -o caps.socklapse &
service=$!
pids="$pids $service"
sleep 0.7
is 'capabilities in use: dac_override, dac_read_search, sys_ptrace' \
	"$(sed -n 's/^CapEff:\t0*//p' "/proc/$service/status")" 80006
is 'kept for setns: sys_admin' "$(sed -n 's/^CapPrm:\t0*//p' "/proc/$service/status")" 280006

# --- a service keeps no namespace alive: when its last process goes, so does the wire into it
ip -n "$ns" link show wire >/dev/null 2>&1 || not_ok 'the wire' 'is not there'
ip netns del "$ns-far"
tries=0
while ip -n "$ns" link show wire >/dev/null 2>&1 && [ "$tries" -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
is 'nothing that is recorded is kept alive' "$(ip -n "$ns" link show wire 2>/dev/null | wc -l)" 0
stop "$service"

# --- processes that exit during the walk
"$tools/cast" flicker &
flicker=$!
pids="$pids $flicker"
"$record_all" -q --netns self -i 20ms -n 40 -o exits.socklapse
is 'processes that exit: no failure' $? 0
stop "$flicker" KILL
is 'processes that exit: nobody is half known' "$(ask exits.socklapse \
	"SELECT count(*) FROM process WHERE comm = '' OR start_ticks = 0 OR uid IS NULL")" 0
is 'processes that exit: they are not taken for hidden ones' "$(flagged exits.socklapse owners-part)" 0

# --- namespaces that vanish between being found and being read
lost=0
try=0
while [ "$lost" -eq 0 ] && [ "$try" -lt 30 ]; do
	try=$((try + 1))
	"$tools/cast" crowd 12 >crowd.out &
	crowd=$!
	pids="$pids $crowd"
	await_ready crowd.out
	"$record_all" -q -o v.socklapse &
	run=$!
	sleep "0.0$((try * 3 % 10))"
	stop "$crowd" KILL
	wait "$run" || not_ok 'a namespace that vanishes: no failure' "exit code $?"
	lost=$(flagged v.socklapse netns-lost)
done
like 'a namespace that vanishes is a flag' "$lost" '^[1-9]'
like 'and the rest is there' "$(ask v.socklapse "SELECT min(n) FROM (SELECT count(*) AS n FROM socket WHERE netns = $named GROUP BY snapshot)")" '^[1-9]'

rmdir "$group/docker-$id.scope" "$group" 2>/dev/null
kill "$unnamed_pid" 2>/dev/null
wait "$unnamed_pid" 2>/dev/null
rmdir "$group/docker-$id.scope" "$group" 2>/dev/null
exit 0
