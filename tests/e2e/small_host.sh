#!/bin/sh
# small_host.sh BUILD - what one run costs on a host with 200 sockets, beside ss -tanp: at most 12 MB
# of memory at its peak, asserted, and 30 ms of CPU, the least of ten runs. A shared machine may need
# more CPU: half a second is asserted, and the figure printed.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
make_network
ip netns exec "$ns" "$build/tests/bench/load" 200 0 0 0 300 >ready &
load=$!
pids="$pids $load"
tries=0
until grep -q ready ready; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 2
	sleep 0.1
done

# Least CPU (ms) and greatest memory (KiB) of ten runs of a command.
cost() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		in_ns sh -c 'exec "$@" >out.$$ 2>&1' sh "$build/tests/bench/timed" 1 "$@"
		tail -n 1 out.*
		rm -f out.*
	done | awk 'NR == 1 || $2 < cpu { cpu = $2 } $4 > kib { kib = $4 } END { printf "%.1f %d\n", cpu, kib }'
}
in_ns "$record" -q -o r.socklapse
of_record=$(cost "$record" -q -o r.socklapse)
of_ss=$(cost ss -tanp)
echo "    CPU ms, peak KiB: socklapse-record $of_record; ss -tanp $of_ss"
sockets=$(sqlite3 r.socklapse "SELECT max(sockets) FROM tally WHERE proto = 'tcp'")
[ "${sockets:-0}" -ge 200 ] && ok 'the load is there' || not_ok 'the load is there' "$sockets sockets"
[ "${of_record#* }" -le 12288 ] && ok 'one run takes at most 12 MB' || not_ok 'one run takes at most 12 MB' "${of_record#* } KiB"
[ "${of_record%%.*}" -le 500 ] && ok 'one run takes little CPU' || not_ok 'one run takes little CPU' "${of_record% *} ms"
stop $load
exit 0 # not what the load ended with
