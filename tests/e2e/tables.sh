#!/bin/sh
# tables.sh BUILD - what stands in a recording of every socket table is what ss says of it: which
# sockets there are, their inodes, peers, queues. (show_like_ss.sh compares the text
# that `show` makes of it.) In a namespace of its own, of one and of several namespaces.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_mix
in_ns "$record" -q -o r.socklapse || not_ok 'a snapshot' "exit code $?"
"$record_all" -q -o all.socklapse || not_ok 'a snapshot of all namespaces' "exit code $?"
inside=$(in_ns stat -L -c %i /proc/self/ns/net)

# Inode, peer's inode, queues: the fields around the last '*' of a line, and the third and fourth.
of_unix() {
	awk '{
		for (i = NF - 1; i > 4; i--)
			if ($i == "*" && $(i - 1) ~ /^[0-9]+$/ && $(i + 1) ~ /^[0-9]+$/) {
				print $(i - 1) "," $(i + 1) "," $3 "," $4
				break
			}
	}'
}
# Inode and queues, the first two numbers, of lines that end in "... ino:N ...".
of_inode() {
	awk '{
		for (q = 1; q < NF && $q !~ /^[0-9]+$/; q++)
			;
		for (i = 1; i <= NF; i++)
			if ($i ~ /^ino:[0-9]+$/)
				print substr($i, 5) "," $q "," $(q + 1)
	}'
}
# Inode alone: packets come all the time.
of_packet() {
	of_inode | cut -d , -f 1
}
# Protocol and port: "0:4711", without those of sock_diag, of which ss and the recorder have one.
of_netlink() {
	awk '$4 !~ /^4:/ { print $4 }' | sort -u
}

# $1: table; $2: options of ss; $3: what takes its lines apart; $4: columns; $5: condition.
compare() {
	in_ns ss $2 2>/dev/null | "$3" | sort >truth
	[ -s truth ] || {
		echo "skip $1: ss tells of none here"
		return
	}
	for file in r all; do
		"$lapse" -f $file.socklapse sql --csv -H "SELECT DISTINCT $4 FROM socket
			WHERE netns = $inside AND $5" 2>err | sort >ours
		nothing_in "$1: readable ($file)" err
		diff truth ours >wrong
		nothing_in "$1: as ss has it, $(wc -l <truth) sockets ($file)" wrong
	done
}
compare unix -xaH of_unix 'inode, coalesce(peer_inode, 0), recvq, sendq' "proto = 'unix'"
compare packet '-0aHne' of_packet inode "proto = 'packet'"
compare netlink '-A netlink -aHn' of_netlink "link_proto || ':' || portid" "proto = 'netlink' AND link_proto <> 4"
compare udp '-uaHne' of_inode 'inode, recvq, sendq' "proto = 'udp' AND inode > 0"
compare 'tcp listeners' '-tlHne' of_inode 'inode, recvq, sendq' "proto = 'tcp' AND state = 'LISTEN'"
compare vsock '--vsock -aHne' of_inode 'inode, recvq, sendq' "proto = 'vsock'"

is 'raw: as many as ss has' "$("$lapse" -f r.socklapse sql --csv -H "SELECT count(*) FROM socket WHERE proto = 'raw'")" \
	"$(in_ns ss -waHn | awk 'END { print NR }')"
is 'a namespace is the same among others' \
	"$("$lapse" -f r.socklapse sql --csv -H 'SELECT proto, count(DISTINCT cookie) FROM socket GROUP BY proto')" \
	"$("$lapse" -f all.socklapse sql --csv -H "SELECT proto, count(DISTINCT cookie) FROM socket WHERE netns = $inside GROUP BY proto")"
exit 0
