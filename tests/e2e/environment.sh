#!/bin/sh
# environment.sh BUILD - what a machine does to a recorder: a clock that is set, another day, a
# reboot, a disk that is full and is not any more, a directory that is read-only or not there,
# files left behind by others. What must come of it is in recorder/README.md.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 2
faulty=$build/tests/fault/faulty

# $1: file; $2: SQL.
ask() {
	sqlite3 "$1" "$2" 2>&1 | tr '\n' ' ' | sed 's/ $//'
}

# The clock. Snapshots stay in the order in which they were taken; spans are by CLOCK_BOOTTIME.
for shift in 0 -3600 7200 -86400; do
	"$faulty" run clock:$shift -q -A tcp -o clock.socklapse || not_ok "clock $shift" "exit code $?"
done
is 'a clock set back and forth: all in one file' "$(ask clock.socklapse 'SELECT count(*) FROM snapshot')" 4
is 'no time runs backwards within it' "$(ask clock.socklapse 'SELECT count(*) FROM snapshot AS a
	JOIN snapshot AS b ON b.id = a.id + 1 WHERE b.boot_begin_ns <= a.boot_begin_ns')" 0
is 'the wall clock is told as it was' "$(ask clock.socklapse 'SELECT group_concat(
	(wall_begin_ns - boot_begin_ns - (SELECT wall_begin_ns - boot_begin_ns FROM snapshot WHERE id = 1) + 1800000000000)
	/ 3600000000000) FROM snapshot')" '0,0,2,-23'
"$lapse" -f clock.socklapse linger >out 2>err
is 'linger reads it' "$? $(cat err)" '0 '
is 'list has them in the order of being taken' "$("$lapse" -f clock.socklapse list --csv | sed 1d | cut -d, -f1 | tr '\n' ' ')" '1 2 3 4 '
"$faulty" run clock-step:-5000:3 -q -A tcp -i 50ms -n 5 -o step.socklapse
is 'a clock set back within a run' "$? $(ask step.socklapse 'SELECT count(*) FROM snapshot; PRAGMA integrity_check')" '0 5 ok'
"$lapse" -f step.socklapse linger >out 2>err
is 'is read, too' "$? $(cat err)" '0 '

# Days.
mkdir days
for shift in 0 -86400 86400 0; do
	"$faulty" run clock:$shift -q -A tcp -d days || not_ok "day $shift" "exit code $?"
done
is 'each UTC day has its file' "$(find days -name '*.socklapse' | wc -l)" 3
is 'a day goes on in its own' "$(for f in days/*.socklapse; do sqlite3 "$f" 'SELECT count(*) FROM snapshot'; done | tr '\n' ' ')" '1 2 1 '
"$lapse" -f days list >out 2>err
is 'and all are one history' "$? $(grep -c : out) $(cat err)" '0 4 '

# A reboot.
for boot in one one two two; do
	"$faulty" run "boot:$boot" -q -A tcp,unix -o boot.socklapse || not_ok "boot $boot" "exit code $?"
done
is 'a boot begins with a key frame and says so' \
	"$(ask boot.socklapse 'SELECT key || (flags & 1024 <> 0) FROM snapshot ORDER BY id')" '10 00 11 00'
is 'no process outlives it' \
	"$(ask boot.socklapse 'SELECT count(*) FROM process JOIN host ON host.id = process.host
	WHERE boot_id = "one" AND (last_snapshot IS NULL OR last_snapshot > 2)')" 0
"$lapse" -f boot.socklapse linger >out 2>err
is 'linger counts it' "$? $(cat err) $(grep -c 'reboots: 1' out)" '0  1'

# Directories and files of others.
"$record" -q -d absent/below 2>err
is 'a directory whose parent is missing' "$? $(wc -l <err)" '1 1'
like 'is named' "$(cat err)" '^socklapse-record: absent/below: No such file or directory$'
"$record" -q -d made -A tcp
is 'a directory that is missing is made' "$? $(stat -c %a made)" '0 750'
sqlite3 wal.socklapse 'PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)' >out
cp wal.socklapse before
"$record" -q -o wal.socklapse 2>err
is "somebody's database in WAL mode is left alone" "$? $(wc -l <err) $(cmp wal.socklapse before && echo same)" '1 1 same'
"$record" -q -A tcp -o ours.socklapse
sqlite3 ours.socklapse 'PRAGMA journal_mode = WAL; CREATE TABLE x (a)' >out
"$record" -q -A tcp -o ours.socklapse
is 'a recording that somebody put into WAL mode is taken back' \
	"$? $(ask ours.socklapse 'PRAGMA journal_mode; SELECT count(*) FROM snapshot; PRAGMA integrity_check') $(ls ours.socklapse-* 2>/dev/null)" \
	'0 delete 2 ok '
echo nonsense >late.socklapse-journal
"$record" -q -A tcp -o late.socklapse
is 'a journal without its file does no harm' "$? $(ask late.socklapse 'SELECT count(*) FROM snapshot') $(ls late.socklapse-* 2>/dev/null)" '0 1 '

# A disk that is full for a while, and one that is read-only.
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=512k tmpfs small 2>/dev/null; then
	"$record" -q --stats -A tcp -i 50ms -o small/s.socklapse >stats 2>err &
	service=$!
	pids="$pids $service"
	sleep 1
	dd if=/dev/zero of=small/ballast bs=1k 2>/dev/null
	sleep 2
	before=$(wc -l <stats)
	sleep 0.5
	is 'service: nothing is reported while the disk is full' "$(wc -l <stats)" "$before"
	like 'service: it says so once' "$(cat err)" '^socklapse-record: small/s.socklapse: .*no space left.*trying again'
	rm small/ballast
	sleep 1.5
	[ "$(wc -l <stats)" -gt "$before" ] && ok 'service: and goes on' || not_ok 'service: and goes on' 'nothing more is reported'
	cp small/s.socklapse live.socklapse
	stop $service
	is 'service: it ends well' "$? $(wc -l <err)" '0 1'
	like 'service: what could not be written is a gap with its reason' \
		"$(ask small/s.socklapse "SELECT sum(count) FROM event WHERE kind = 'gap' AND text LIKE 'could not be written: %no space left%'")" '^[1-9]'
	is 'service: nothing that was reported is lost' \
		"$(ask small/s.socklapse 'SELECT max(id) FROM snapshot; PRAGMA integrity_check')" "$(wc -l <stats) ok"
	umount small
else
	echo 'skip full disk: no tmpfs can be mounted here'
fi
if [ "$(id -u)" -eq 0 ] && mkdir fixed && mount -t tmpfs -o size=4m tmpfs fixed 2>/dev/null; then
	"$record" -q -A tcp -d fixed
	mount -o remount,ro fixed
	"$record" -q -A tcp -d fixed 2>err
	is 'read-only: exit code 1 and a line' "$? $(wc -l <err)" '1 1'
	like 'read-only: which names the place' "$(cat err)" '^socklapse-record: fixed/.*Read-only file system'
	"$lapse" -f fixed list >out 2>err
	is 'read-only: what is there can be read' "$? $(cat err)" '0 '
	umount fixed
else
	echo 'skip read-only: no tmpfs can be mounted here'
fi
