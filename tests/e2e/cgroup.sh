#!/bin/sh
# cgroup.sh BUILD - a connection whose process was never seen to hold it: closed before the first
# snapshot, and still in FIN-WAIT-1, because the peer does not read. Its cgroup is what is known.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
id=$(printf '%064d' $$)
for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
	[ -e "$root/cgroup.procs" ] && break
done
group=$root/slt-$$
scope=$group/docker-$id.scope
if ! mkdir "$group" 2>/dev/null || ! mkdir "$scope" 2>/dev/null; then
	rmdir "$group" 2>/dev/null
	echo 'skip all: no cgroup can be made here'
	exit 0
fi

trap 'tidy_up; rmdir "$scope" "$group" 2>/dev/null' EXIT

make_network
start_actor slt-server
start_actor slt-client
cat slt-client.pid >"$scope/cgroup.procs"
tell slt-server listen 0 10.99.0.1 7000 8
tell slt-client connect 1 10.99.0.1 7000
tell slt-client send 1 100000000
tell slt-client close 1
for number in 1 2; do
	# From outside: `ip netns exec` hides cgroups.
	"$record_all" -q --netns "$ns" -o r.socklapse || not_ok "run $number" "exit code $?"
done
path=/slt-$$/docker-$id.scope

is 'show: of its cgroup' "$("$lapse" -f r.socklapse sql --csv -H \
	"SELECT state, owner_source, container, pid FROM socket WHERE peer_port = 7000 AND snapshot = 2")" \
	"FIN-WAIT-1,cgroup,$id,"
is 'its spell, too' "$("$lapse" -f r.socklapse sql --csv -H \
	"SELECT state, owner_source, cgroup, container, pid, comm FROM spell WHERE peer_port = 7000")" \
	"FIN-WAIT-1,cgroup,$path,$id,,"
like 'linger lists it by its path' "$("$lapse" -f r.socklapse linger dport = :7000)" "10.99.0.1:7000 +$path +cgroup"
like 'and sums by container' "$("$lapse" -f r.socklapse linger --by container --csv -H 2>&1)" "^\"?$id\"?,1,"
like 'and so does trend' "$("$lapse" -f r.socklapse trend --by cgroup --csv -H 2>&1)" "^\"?$path\"?,1,1"
like 'trace names it' "$("$lapse" -f r.socklapse trace dport = :7000)" ", $path \(cgroup\)"
like 'a filter finds it' "$("$lapse" -f r.socklapse linger --json container = "$(echo "$id" | cut -c 1-60)*")" \
	'"peer_port": *7000'

for pid in $(cat "$scope/cgroup.procs"); do
	kill "$pid"
	wait "$pid" 2>/dev/null
done
rmdir "$scope" "$group"
