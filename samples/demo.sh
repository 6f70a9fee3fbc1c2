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

# Shows a command as one would type it, then runs it.
ask() {
	printf '%s$ socklapse -f %s %s%s\n' "$faint" "$recording" "$*" "$plain"
	"$build/analyzer/socklapse" -f "$recording" "$@"
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

heading "Record: this machine, five times a second for $seconds s, while a service leaks"
dir=$(mktemp -d "${TMPDIR:-/tmp}/socklapse-demo.XXXXXX")
"$build/samples/leaky" 5 >"$dir/port" &
started="$started $!"
sleep 1
port=$(cat "$dir/port")
rm -f "$dir/port"
recording=$(uname -n)
echo "leaky-server listens on 127.0.0.1:$port; leaky-client asks it something five times a second"
"$build/recorder/socklapse-record" -d "$dir" -i 200ms -n $((seconds * 5))
recording=$(echo "$dir"/*.socklapse)
echo "$(du -k "$recording" | cut -f1) KiB in $recording"

heading 'What is in it'
ask info
ask list | { head -n 6 && echo '...'; }

heading 'Who has been in CLOSE-WAIT, and for how long at least?'
ask linger --by state,comm
echo
ask linger --min 5s --top 5 state close-wait
echo
echo "A CLOSE-WAIT that lasts means: the peer has closed, and this process has not. leaky-server it is."

heading 'What is different at the end from the beginning?'
ask diff start end --by comm,state

heading 'The last moment, as ss would have printed it'
ask show --at end -tnp state close-wait | { head -n 8 && echo '...'; }

tidy_up
heading 'Your turn'
echo "The service is stopped. The recording stays: $recording"
echo "  $build/analyzer/socklapse -f $recording --help"
