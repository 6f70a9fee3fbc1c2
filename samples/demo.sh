#!/bin/sh
# demo.sh [SECONDS] - Socklapse in half a minute, on a fresh Debian machine: installs what is
# missing, builds into build-demo/, records this machine for 20 s while a small service leaks
# connections, and asks who leaks. Stops what it started; the recording stays for you to play with.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-20}
root=$PWD
build=$root/build-demo
started=

tidy_up() {
	trap '' EXIT INT TERM
	for pid in $started; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') faint=$(printf '\033[2m') plain=$(printf '\033[0m')
else
	bold='' faint='' plain=''
fi

heading() {
	printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# Shows a question as one would type it, then asks it of the recording.
ask() {
	printf '%s$ socklapse %s%s\n' "$bold" "$*" "$plain"
	"$build/analyzer/socklapse" -f "$recording" "$@"
}

# The first $1 lines of standard input, and the last one if there are more.
shorten() {
	awk -v most="$1" 'NR <= most { print } { last = $0 }
		END { if (NR > most + 1) print "..."; if (NR > most) print last }'
}

heading 'Build'
sh tests/deps.sh build
log=$build.log
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" -Dtests=false >"$log" 2>&1 || {
		cat "$log"
		exit 1
	}
fi
ninja -C "$build" >"$log" 2>&1 || {
	cat "$log"
	exit 1
}
rm -f "$log"
echo "build-demo/recorder/socklapse-record and build-demo/analyzer/socklapse are ready"

heading "Record this machine, five times a second for $seconds s, while a service leaks"
dir=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-demo.XXXXXX")
"$build/samples/leaky" 5 >"$dir/port" &
started="$started $!"
sleep 1
port=$(cat "$dir/port")
rm -f "$dir/port"
echo "leaky-server listens on 127.0.0.1:$port; leaky-client asks it something five times a second."
echo "${faint}socklapse-record -d $dir -i 200ms$plain"
"$build/recorder/socklapse-record" -d "$dir" -i 200ms &
recorder=$!
started="$started $recorder"
sleep "$seconds"
kill "$recorder" && wait "$recorder"
recording=$(echo "$dir"/*.socklapse)
echo "$(($(wc -c <"$recording") / 1024)) KiB: $recording"

heading 'What is in it? A snapshot a line; look at the CLOSE-WAIT column'
ask list | shorten 4

heading 'Who sits in CLOSE-WAIT, how many, and for how long at least?'
ask linger --by comm --top 5 state close-wait
echo
echo "CLOSE-WAIT that lasts: the peer has closed, this process has not. The fault is leaky-server's."

heading 'Whose are the TIME-WAITs? The kernel has forgotten; the recording saw them alive'
ask linger --by comm --top 3 state time-wait dport = ":$port"

heading 'What is different at the end from the beginning?'
ask diff start end --by comm,state "sport = :$port or dport = :$port"

heading 'The last moment, as ss would have printed it'
ask show --at end -tanp state close-wait sport = ":$port" | shorten 5

tidy_up
heading 'Your turn'
echo 'The service is stopped. The recording stays; ask it something:'
echo "  build-demo/analyzer/socklapse -f $recording show --at start+10s -tanp"
echo "  build-demo/analyzer/socklapse -f $recording --help"
