#!/bin/sh
# rights.sh BUILD - what the recorder does with the rights that it has: as root it keeps four
# capabilities, as nobody it records what it may and says so, and with the two capabilities that the
# manual names it sees every owner. Files and directories get the modes that the manual names.
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	echo 'skip all: needs root and setpriv'
	exit 0
fi
mkdir -m 0777 "$work/dir" && chmod 0755 "$work"
# Nobody may not reach the build.
install -m 0755 "$record_all" "$work/recorder" || exit 2
printf '#!/bin/sh\nexec "%s" --netns self "$@"\n' "$work/recorder" >"$work/record"
chmod 0755 "$work/record"

# --- root ---
"$work/record" -d "$work/new" -i 200ms &
pid=$!
pids="$pids $pid"
sleep 1
status=$(grep -E '^(Cap|NoNewPrivs)' "/proc/$pid/status" | tr -d '\t' | tr '\n' ' ')
# DAC_OVERRIDE 1, DAC_READ_SEARCH 2, SYS_PTRACE 19, SYS_ADMIN 21
like 'root keeps four capabilities at most' "$status" 'CapEff:0000000000[0-2]8?0?0?000[0-6]'
effective=$(echo "$status" | sed 's/.*CapEff:\([0-9a-f]*\).*/\1/')
is 'nothing but those four is left' "$((0x$effective & ~0x280006))" 0
permitted=$(echo "$status" | sed 's/.*CapPrm:\([0-9a-f]*\).*/\1/')
is 'nor is it permitted' "$((0x$permitted & ~0x280006))" 0
like 'no new privileges' "$status" 'NoNewPrivs:1'
stop "$pid"
is 'mode of a directory that it makes' "$(stat -c %a "$work/new")" 750
is 'mode of a recording' "$(stat -c %a "$work"/new/*.socklapse)" 640

# --- nobody ---
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

sleep 60 </dev/null &
pids="$pids $!"
said=$(nobody "$work/record" -d "$work/dir" -v --stats 2>"$work/err")
is 'nobody can record' "$?" 0
like '-v says what it could not see' "$(cat "$work/err")" 'unprivileged'
like '--stats say how many processes were closed to it' "$said" '"denied":[1-9]'
flags=$(sqlite3 "$work"/dir/*.socklapse 'SELECT flags & 512, flags & 16 FROM snapshot')
is 'so does the snapshot' "$flags" '512|16'

# --- nobody with the two ---
rm -f "$work"/dir/*
two='+sys_ptrace,+dac_read_search'
if nobody --inh-caps="$two" --ambient-caps="$two" true 2>/dev/null; then
	said=$(nobody --inh-caps="$two" --ambient-caps="$two" "$work/record" -d "$work/dir" --netns self --stats)
	is 'with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH it is not unprivileged' \
		"$(sqlite3 "$work"/dir/*.socklapse 'SELECT flags & 512 FROM snapshot')" 0
	like 'and no process is closed to it' "$said" '"denied":0'
else
	echo 'skip with the two capabilities: they cannot be given here'
fi
