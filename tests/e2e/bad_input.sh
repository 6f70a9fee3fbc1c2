#!/bin/sh
# bad_input.sh BUILD - what a user or a broken disk can hand to the two programs: one clear line,
# the right exit code (1 failed, 2 wrong usage, 75 busy), and nothing that was there is lost.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2

# $1: lines on stderr; $2: name; $3: exit code; $4: expression that they have to match; rest: command.
fails_in() {
	wanted_lines=$1 name=$2 wanted=$3 text=$4
	shift 4
	"$@" >out 2>err </dev/null
	code=$?
	lines=$(wc -l <err)
	if [ "$code" -ne "$wanted" ]; then
		not_ok "$name" "exit code $code, not $wanted: $(head -n 1 err)"
	elif [ "$lines" -ne "$wanted_lines" ]; then
		not_ok "$name" "$lines lines on stderr, not $wanted_lines: $(head -n 4 err | tr '\n' '|')"
	elif ! grep -Eq -- "$text" err; then
		not_ok "$name" "says '$(cat err)', which is not like '$text'"
	elif [ -s out ]; then
		not_ok "$name" "prints on stdout: $(head -n 1 out)"
	else
		ok "$name"
	fi
}

# The same, in one line.
fails() { fails_in 1 "$@"; }

# A mistake in a filter: what is wrong, the filter, and ^~~ below the place.
# $1: name; $2: expression that stderr has to match; rest: command.
marks() {
	name=$1 text=$2
	shift 2
	fails_in 3 "$name" 2 "$text" "$@"
	is "$name: the place is marked" "$(tail -n 1 err | tr -d ' ')" '^~~~~~~~~~~~~~~'
}

# The same file as before, byte for byte. $1: name; $2: file; $3: copy.
unharmed() {
	if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1" 'the file was changed'; fi
}

"$record" -q -o good.socklapse -n 3 -i 100ms || not_ok 'a good recording' "exit code $?"
cp good.socklapse whole.socklapse
head -c "$(($(wc -c <good.socklapse) / 2))" good.socklapse >half.socklapse
: >empty.socklapse
echo 'up 3 days, 2 users' >text.socklapse
sqlite3 other.socklapse 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'
cp good.socklapse future.socklapse
sqlite3 future.socklapse 'PRAGMA user_version = 99; UPDATE format SET version = 99'
cp good.socklapse feature.socklapse
sqlite3 feature.socklapse 'UPDATE format SET incompatible = 1 << 30'
mkdir nothing

# The analyzer.
fails 'no command' 2 '^socklapse: ' "$lapse" -f good.socklapse
fails 'unknown command' 2 '^socklapse: .*frobnicate' "$lapse" -f good.socklapse frobnicate
fails 'unknown option' 2 '^socklapse: .*--nonsense' "$lapse" -f good.socklapse list --nonsense
fails 'option without its value' 2 '^socklapse: .*--at' "$lapse" -f good.socklapse show --at
fails 'time that is none' 2 '^socklapse: .*yesteryear' "$lapse" -f good.socklapse show --at yesteryear
fails 'key that is none' 2 '^socklapse: .*flavour' "$lapse" -f good.socklapse linger --by flavour
marks 'filter that is none' "^socklapse: filter: .*a-word-too-many" \
	"$lapse" -f good.socklapse show a-word-too-many
fails 'file that is not there' 1 '^socklapse: .*absent.socklapse: ' "$lapse" -f absent.socklapse list
fails 'directory without recordings' 1 '^socklapse: nothing: ' "$lapse" -f nothing list
fails 'empty file' 1 '^socklapse: empty.socklapse: ' "$lapse" -f empty.socklapse list
fails 'file that is not ours' 1 '^socklapse: text.socklapse: ' "$lapse" -f text.socklapse list
fails 'database that is not ours' 1 '^socklapse: other.socklapse: ' "$lapse" -f other.socklapse list
fails 'file cut in half' 1 '^socklapse: half.socklapse: ' "$lapse" -f half.socklapse list
fails 'future format' 1 '^socklapse: future.socklapse: .*(newer|version)' "$lapse" -f future.socklapse list
fails 'future feature' 1 '^socklapse: feature.socklapse: .*(newer|version)' "$lapse" -f feature.socklapse list
"$lapse" -f good.socklapse list >/dev/full 2>err
is 'output to a full disk is a failure' "$?" 1
unharmed 'the analyzer changes nothing' good.socklapse whole.socklapse

# The recorder.
fails 'record: unknown option' 2 '^socklapse-record: .*nonsense' "$record" --nonsense
fails 'record: interval that is none' 2 '^socklapse-record: .*often' "$record" -i often -o x.socklapse
fails 'record: count that is none' 2 '^socklapse-record: ' "$record" -n -3 -o x.socklapse
marks 'record: filter that is none' '^socklapse-record: filter: .*a-word-too-many' \
	"$record" -o x.socklapse a-word-too-many
is 'record: wrong usage leaves no file' "$(ls x.socklapse 2>/dev/null)" ''
fails 'record: directory is a file' 1 '^socklapse-record: .*text.socklapse' "$record" -d text.socklapse
fails 'record: directory cannot be made' 1 '^socklapse-record: ' "$record" -d /proc/nowhere

# Every one of these had something in it: it is refused, or set aside and a new one begun.
for name in text other half future feature; do
	cp "$name.socklapse" before
	"$record" -q -o "$name.socklapse" >out 2>err </dev/null
	code=$?
	kept=$(find . -name "$name.socklapse*" -size "$(wc -c <before)c" -exec cmp -s {} before \; -print)
	if [ -z "$kept" ]; then
		not_ok "record: $name file is kept" "its bytes are gone"
	elif [ "$code" -ne 0 ]; then
		is "record: $name file is refused in a line" "$code $(wc -l <err)" '1 1'
	elif "$lapse" -f "$name.socklapse" list >out 2>err; then
		ok "record: $name file is set aside, a new one begun"
	else
		not_ok "record: $name file is set aside" "$(head -n 1 err)"
	fi
done
"$record" -q -o empty.socklapse 2>err && "$lapse" -f empty.socklapse list >out 2>err
is 'record: an empty file becomes a recording' "$? $(cat err)" '0 '

# A recording goes on where it was.
"$record" -q -o good.socklapse
is 'record: appends to what is there' "$(sqlite3 good.socklapse 'SELECT count(*) FROM snapshot')" 4

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	as_nobody='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all'
	chmod 755 . && mkdir -m 700 locked && cp good.socklapse locked/
	chmod 600 good.socklapse && cp good.socklapse before
	fails 'unreadable file' 1 '^socklapse: good.socklapse: .*[Pp]ermission' \
		$as_nobody "$lapse" -f good.socklapse list
	fails 'unreadable directory' 1 '^socklapse: locked: .*[Pp]ermission' \
		$as_nobody "$lapse" -f locked list
	fails 'record: read-only directory' 1 '^socklapse-record: .*[Pp]ermission' \
		$as_nobody "$record_all" --netns self -q -d "$work"
	fails 'record: read-only file' 1 '^socklapse-record: .*[Pp]ermission' \
		$as_nobody "$record_all" --netns self -q -o good.socklapse
	unharmed 'record: nothing lost by it' good.socklapse before
	if mkdir full && mount -t tmpfs -o size=256k tmpfs full 2>/dev/null; then
		"$record" -q -o full/r.socklapse 2>err
		was=$(sqlite3 full/r.socklapse 'SELECT count(*) FROM snapshot')
		dd if=/dev/zero of=full/ballast bs=1k 2>/dev/null
		fails 'record: no space left' 1 '^socklapse-record: .*(space|full)' \
			"$record" -q -o full/r.socklapse
		rm full/ballast
		is 'record: nothing lost by a full disk' \
			"$(sqlite3 full/r.socklapse 'SELECT count(*) FROM snapshot; PRAGMA integrity_check' |
				tr '\n' ' ')" "$was ok "
		umount full
	else
		echo 'skip record: no space left: no tmpfs can be mounted here'
	fi
else
	echo 'skip rights: needs root and setpriv'
fi
