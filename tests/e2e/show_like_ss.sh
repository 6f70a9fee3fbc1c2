#!/bin/sh
# show_like_ss.sh BUILD - `show OPTIONS FILTER` of a recording says what `ss OPTIONS FILTER` says,
# for each pair of show_pairs.txt: the same sockets, and the same text but for what moves and for
# what analyzer/SHOW.md ("Where show differs") names. ss is asked before and after the recording;
# a line that it says both times is the truth.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_mix
grep -v -e '^#' -e '^$' "$here/show_pairs.txt" >pairs

# Lines that ss continues on the next one, as one; blanks squeezed; without what moves or differs:
#   moves     the time left of a timer, milliseconds since the last segment, ss's own sockets
#   ss errs   device of a path (0/65024 for 254/0), order of holders
#   ss lacks  holders of netlink sockets, history:, listener: and cgroup:(), rcv_wnd and rehash, udplite, TCP
#             sockets that are bound and nothing else (:9999); the cgroup's path where no cgroup2 is
#             mounted; inodes of what it reads from /proc
#   ss twice  netlink sockets that listen to groups
plain() {
	sed -e ':again' -e '$!N' -e 's/\n\t/ /' -e 't again' -e 'P' -e 'D' "$1" |
		grep -v -e 'RTNETLINK answers' -e 'cgroup2 mount' -e '[:"]ss[/"]' -e '^udplite' -e 'socklapse' -e '127.0.0.1:9999 ' |
		sed -E -e 's/(timer:\([a-z]+),[^,]*,/\1,T,/' -e 's/ last(snd|rcv|ack):[0-9]+//g' \
			-e 's/ dev:[0-9]+\/[0-9]+//' -e 's/ (rcv_wnd|rehash):[0-9]+//g' \
			-e 's/ (history|listener):\(.*\)\)//' -e 's/ cgroup:\([^ ]*\)//' -e 's/ cgroup:[^ ]*/ cgroup:X/' \
			-e '/(rtnl|genl|uevent|^UNCONN.* [0-9]+:[0-9]+ +\*|nl )/s/ users:\(.*\)\)//' \
			-e '/(10.99.0.1:253|0.0.0.0:1|\*:58) /s/ ino:[0-9]+( cgroup:X)?$//' \
			-e 's/PortProcess/Port Process/' | sorted_holders | awk '{ $1 = $1 } 1' | sort
}

# users:(("b",...),("a",...)) with the holders in one order.
sorted_holders() {
	awk '{
		at = index($0, "users:((")
		if (!at) {
			print
			next
		}
		rest = substr($0, at + 8)
		end = index(rest, "))")
		n = split(substr(rest, 1, end - 1), holder, /\),\(/)
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && holder[j] < holder[j - 1]; j--) {
				swap = holder[j]
				holder[j] = holder[j - 1]
				holder[j - 1] = swap
			}
		list = holder[1]
		for (i = 2; i <= n; i++)
			list = list "),(" holder[i]
		print substr($0, 1, at + 7) list substr(rest, end)
	}'
}

# $1: number of the pair; $2: options and filter. Files: N.before, N.after, N.ours.
compare() {
	name="show $2"
	case $2 in none:*) name="show ${2#none:}" ;; esac
	for file in before after ours; do
		plain "$1.$file" >"$file"
	done
	comm -12 before after >steady
	sort -u before after >said
	case $2 in
	none:*) ;;
	*) [ "$(wc -l <steady)" -gt 0 ] || not_ok "$name" 'ss has nothing to say; this tests nothing' ;;
	esac
	awk -v steady=steady -v said=said '
		# A socket without its queues, which may move, and without details.
		function key(line, word, i, n, text) {
			n = split(line, word, " ")
			for (i = 1; i <= n && i <= 8; i++)
				if (word[i] !~ /^[0-9]+$/ && word[i] !~ /[(=]|^(uid|ino|sk|tos):|^<-|^--/)
					text = text " " word[i]
			return text
		}
		BEGIN {
			while ((getline line <steady) > 0)
				truth[line] = 1
			while ((getline line <said) > 0)
				known[key(line)] = 1
		}
		{
			ours[$0] = 1
			if (!(key($0) in known))
				print "only socklapse: " $0
		}
		END {
			for (line in truth)
				if (!(line in ours))
					print "only ss: " line
		}' ours >differences
	nothing_in "$name ($(wc -l <steady) lines)" differences
}

# $1: before or after. Both at once would take longer than a TIME-WAIT has.
ask_ss() {
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		line=${line#none:}
		set -f
		# shellcheck disable=SC2086 # words are what is meant
		in_ns ss ${line%;*} ${line#*;} >"$n.$1" 2>/dev/null </dev/null
		set +f
	done <pairs
}

ask_ss before
in_ns "$record" -q --netns self -o r.socklapse
"$record" -q --netns "self,$ns" -o all.socklapse || not_ok "the recorder" "exit code $?"
ask_ss after

n=0
while IFS= read -r line; do
	n=$((n + 1))
	set -f
	options=${line#none:}
	# shellcheck disable=SC2086
	"$lapse" -f r.socklapse show ${options%;*} ${options#*;} >"$n.all" 2>err </dev/null
	set +f
	grep -v 'names of hosts are' err >errors
	nothing_in "show $options: no complaint" errors
	# The line that says which snapshot this is.
	case " $options" in
	*' -H '* | *'-tHan '* | *'--no-header '*) cat "$n.all" ;;
	*) sed 1d "$n.all" ;;
	esac >"$n.ours"
	compare "$n" "$line"
done <pairs

# Columns stand where ss has them: the head line, and a line, blanks included.
for options in '-tan' '-xl' '-x' '-uan' '-0an'; do
	in_ns ss $options 2>/dev/null | sed -n '1s/ *$//p;/stream.sock.* \* 0/s/ *$//p' |
		sed 's/PortProcess/Port Process/; s/Port *Process/Port Process/' >look.ss
	"$lapse" -f r.socklapse show $options | sed 's/Port *Process/Port Process/' >look.ours
	while IFS= read -r text; do
		grep -qxF -e "$text" look.ours || echo "$text"
	done <look.ss >differences
	nothing_in "columns of show $options" differences
done
# Of all network namespaces that were recorded, the one of -N.
cp "$(grep -n '^-tan ;$' pairs | cut -d: -f1).before" before.1
for name in "$ns" "$(stat -Lc %i "/run/netns/$ns")"; do
	"$lapse" -f all.socklapse show -tan -N "$name" | sed 1d >whole
	plain whole >whole.plain
	plain before.1 >before.plain
	comm -23 before.plain whole.plain >differences
	nothing_in "show -tan -N $name" differences
done
"$lapse" -f all.socklapse show -N nothing >out 2>&1
is 'a namespace that there is not' "$?" 1
in_ns ss -s | grep -E '^(RAW|UDP|TCP|INET)[[:space:]]' >sums.ss
"$lapse" -f r.socklapse show -s | grep -E '^(RAW|UDP|TCP|INET)[[:space:]]' >sums.ours
is 'show -s' "$(cat sums.ours)" "$(cat sums.ss)"
