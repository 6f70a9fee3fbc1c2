#!/bin/sh
# show_like_ss.sh BUILD - `show` of a recording made just now lists the same sockets, states, queues
# and owners as ss does. ss is asked before and after: what it says both times is the truth.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

make_network
start_driver
next_stage 'stage 1'
sleep 1.5 # until the stuffed connection has come to rest

squeeze() {
	awk '{ $1 = $1 } 1' | sort
}

# Compares ours with the two of ss. Lines that ss prints without a process may have one with us:
# that is what history is for; see owners.sh. $1: name. Files: before, after, ours.
compare() {
	comm -12 before after >steady
	[ -s steady ] || {
		not_ok "$1" 'ss has nothing to say; this tests nothing'
		return
	}
	awk '
		function bare(    key, i) {
			key = $1
			for (i = 2; i <= NF && $i !~ /^(users|history|listener):/; i++)
				key = key " " $i
			return key
		}
		FNR == NR { key = bare(); ss[key]++; users[key] = $NF ~ /^users:/ ? $NF : ""; next }
		{
			key = bare()
			if (!(key in ss)) {
				print "only socklapse: " $0
				next
			}
			if (users[key] != "" && $NF != users[key])
				print "other owner: " $0 ", ss: " users[key]
			seen[key]++
		}
		END {
			for (key in ss)
				if (seen[key] != ss[key])
					print "ss has " ss[key] " of these, socklapse " seen[key] + 0 ": " key
		}
	' steady ours >differences
	nothing_in "$1 ($(wc -l <steady) sockets)" differences
}

for options in '-tuanp' '-tuan' '-tan' '-uan' '-tlnp' '-ulnp' '-tn' '-t4an' '-t6an' '-tu4anp'; do
	in_ns ss $options -H | squeeze >before
	in_ns "$record" -q -o "r$options.socklapse"
	in_ns ss $options -H | squeeze >after
	"$lapse" -f "r$options.socklapse" show $options -H 2>err | squeeze >ours
	[ ! -s err ] || not_ok "show $options" "$(head -n 1 err)"
	compare "show $options"
done

port=$(in_ns ss -tlnH4 | awk '{ sub(/.*:/, "", $4); print $4 }')
in_ns "$record" -q -o r.socklapse
while read -r options filter; do
	in_ns ss $options -H $filter | squeeze >before
	cp before after
	"$lapse" -f r.socklapse show $options -H $filter 2>err | squeeze >ours
	[ ! -s err ] || not_ok "show $options $filter" "$(head -n 1 err)"
	compare "show $options $filter"
done <<END
-tan state established
-tan state close-wait
-tan state time-wait
-tan state fin-wait-2
-tan state syn-sent
-tan state listening
-tan exclude established
-tan state connected
-tan state synchronized
-tan state bucket
-tan sport = :$port
-tan dport = :$port
-tan ( dport = :$port or sport = :$port )
-tan state close-wait sport = :$port
-tan src 10.99.0.1
-tan dst 10.99.1.9
-tan dst 10.99.0.0/16
-tan dst 10.99.1.9:9200
-tan dport = :9200
-tan not dst 10.99.0.1
-uan dst 10.99.0.1
-t6an dst [fd99:1::9]
END

# The head line and the order of columns, too.
in_ns ss -tanp | head -n 1 | squeeze >head.ss
"$lapse" -f r.socklapse show -tanp 2>/dev/null | grep '^State' | squeeze >head.ours
is 'head line' "$(cat head.ours)" "$(cat head.ss)"
