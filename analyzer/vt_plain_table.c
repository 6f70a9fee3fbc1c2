/* vt_plain_table.c - see vt_plain_table.h. */
#include "vt_plain_table.h"

#define OF_SNAPSHOT                                                                                \
	{PLAIN_SNAPSHOT, 0}, {PLAIN_TIME, 0}, {PLAIN_HOST, 0},                                     \
	{                                                                                          \
		PLAIN_BOOT, 0                                                                      \
	}
#define COPY(n)                                                                                    \
	{                                                                                          \
		PLAIN_COPY, n                                                                      \
	}

const struct plain_table plain_tables[] = {
	{"snapshot",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, end_ns INTEGER, "
	 "boottime_ns INTEGER, boottime_end_ns INTEGER, key INTEGER, flags INTEGER, "
	 "sockets INTEGER, bytes INTEGER, costs TEXT, file TEXT)",
	 /* Costs by name, as one object; the problems with them. */
	 "SELECT id, wall_end_ns, boot_begin_ns, boot_end_ns, key, flags, sockets, bytes, "
	 "(SELECT json_set(json_group_object(n.name, c.value), '$.problems', json(coalesce("
	 "(SELECT CAST(t.bytes AS TEXT) FROM text AS t WHERE t.id = problems "
	 "AND json_valid(CAST(t.bytes AS TEXT))), '[]'))) FROM json_each(costs) AS c "
	 "JOIN cost_name AS n ON n.id = c.key + 1 WHERE json_valid(costs)) "
	 "FROM snapshot WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	 true,
	 NULL,
	 {OF_SNAPSHOT,
	  COPY(1),
	  COPY(2),
	  COPY(3),
	  COPY(4),
	  COPY(5),
	  COPY(6),
	  COPY(7),
	  COPY(8),
	  {PLAIN_FILE, 0}}},
	{"tally",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, proto TEXT, "
	 "state TEXT, sockets INTEGER)",
	 "WITH table_name(number, name) AS (VALUES (1, 'tcp'), (2, 'udp'), (3, 'udplite'), "
	 "(4, 'raw'), (5, 'mptcp'), (6, 'sctp'), (7, 'dccp'), (8, 'unix'), (9, 'packet'), "
	 "(10, 'netlink'), (11, 'vsock'), (12, 'xdp'), (13, 'tipc')), "
	 "state_name(number, name) AS (VALUES (1, 'ESTAB'), (2, 'SYN-SENT'), (3, 'SYN-RECV'), "
	 "(4, 'FIN-WAIT-1'), (5, 'FIN-WAIT-2'), (6, 'TIME-WAIT'), (7, 'UNCONN'), "
	 "(8, 'CLOSE-WAIT'), (9, 'LAST-ACK'), (10, 'LISTEN'), (11, 'CLOSING'), "
	 "(12, 'NEW-SYN-RECV'), (13, 'BOUND-INACTIVE')) "
	 "SELECT s.id, (SELECT name FROM table_name WHERE number = t.key / 16), "
	 "coalesce((SELECT name FROM state_name WHERE number = t.key % 16), '?'), t.value "
	 "FROM snapshot AS s, json_each(s.tally) AS t "
	 "WHERE s.id BETWEEN ?1 AND ?2 AND json_valid(s.tally) ORDER BY s.id",
	 true,
	 NULL,
	 {OF_SNAPSHOT, COPY(1), COPY(2), COPY(3)}},
	{"counter",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, netns INTEGER, "
	 "name TEXT, value INTEGER)",
	 /* All values stand at a key frame; from there on, changes are added up. */
	 "WITH change AS (SELECT c.snapshot, c.netns, CAST(j.key AS INTEGER) AS counter, "
	 "j.value AS change, (SELECT k.id FROM snapshot AS k WHERE k.key AND k.id <= c.snapshot "
	 "ORDER BY k.id DESC LIMIT 1) AS chain FROM counter_change AS c, json_each(c.changes) AS j "
	 "WHERE json_valid(c.changes) AND c.snapshot BETWEEN coalesce((SELECT k.id FROM snapshot "
	 "AS k WHERE k.key AND k.id <= ?1 ORDER BY k.id DESC LIMIT 1), ?1) AND ?2), "
	 "v AS (SELECT snapshot, netns, counter, sum(change) OVER (PARTITION BY chain, netns, "
	 "counter ORDER BY snapshot) AS value FROM change) "
	 "SELECT v.snapshot, n.inode, c.name, v.value FROM v "
	 "JOIN counter AS c ON c.id = v.counter LEFT JOIN netns AS n ON n.id = v.netns "
	 "WHERE v.snapshot >= ?1 ORDER BY v.snapshot",
	 true,
	 NULL,
	 {OF_SNAPSHOT, COPY(1), COPY(2), COPY(3)}},
	{"watermark",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, begin_us "
	 "INTEGER, "
	 "end_us INTEGER, cpu INTEGER, inode INTEGER)",
	 /* Four bytes a CPU, little-endian, by way of their hexadecimal digits. */
	 "WITH RECURSIVE mark(snapshot, begin_us, end_us, cpu, cpus, hex) AS ("
	 "SELECT snapshot, begin_us, end_us, 0, min(length(inodes) / 4, 8192), "
	 "hex(substr(inodes, 1, 32768)) FROM watermark WHERE snapshot BETWEEN ?1 AND ?2 "
	 "UNION ALL SELECT snapshot, begin_us, end_us, cpu + 1, cpus, hex FROM mark "
	 "WHERE cpu + 1 < cpus), "
	 "digit(at, weight) AS (VALUES (2, 0), (1, 4), (4, 8), (3, 12), (6, 16), (5, 20), (8, 24), "
	 "(7, 28)) "
	 "SELECT snapshot, begin_us, end_us, cpu, (SELECT nullif(sum(instr('123456789ABCDEF', "
	 "substr(hex, 8 * cpu + at, 1)) << weight), 1) FROM digit) FROM mark WHERE cpus > 0 "
	 "ORDER BY snapshot, cpu",
	 true,
	 "watermark",
	 {OF_SNAPSHOT, COPY(1), COPY(2), COPY(3), COPY(4)}},
	{"process_files",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, pid INTEGER, "
	 "start_ticks INTEGER, comm TEXT, files INTEGER, files_limit INTEGER)",
	 "SELECT f.snapshot, p.pid, p.start_ticks, p.comm, f.files, f.files_limit "
	 "FROM process_files AS f JOIN process AS p ON p.id = f.process "
	 "WHERE f.snapshot BETWEEN ?1 AND ?2 ORDER BY f.snapshot, f.process",
	 true,
	 "process_files",
	 {OF_SNAPSHOT, COPY(1), COPY(2), COPY(3), COPY(4), COPY(5)}},
	{"scope",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, text TEXT)",
	 "SELECT snapshot, text FROM scope WHERE snapshot BETWEEN ?1 AND ?2 ORDER BY snapshot",
	 true,
	 "scope",
	 {OF_SNAPSHOT, COPY(1)}},
	{"name",
	 "CREATE TABLE x(snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, name TEXT, "
	 "answer TEXT, error TEXT)",
	 "SELECT snapshot, name, answer, error FROM name WHERE snapshot BETWEEN ?1 AND ?2 "
	 "ORDER BY snapshot",
	 true,
	 NULL,
	 {OF_SNAPSHOT, COPY(1), COPY(2), COPY(3)}},
	{"process",
	 "CREATE TABLE x(host TEXT, boot TEXT, pid INTEGER, start_ticks INTEGER, ppid INTEGER, "
	 "uid INTEGER, comm TEXT, exe TEXT, cmdline TEXT, cgroup TEXT, container TEXT, "
	 "first_snapshot INTEGER, last_snapshot INTEGER, file TEXT)",
	 "SELECT NULL, h.hostname, h.boot_id, p.pid, p.start_ticks, p.ppid, p.uid, p.comm, p.exe, "
	 "p.cmdline, p.cgroup, p.container, p.first_snapshot, p.last_snapshot "
	 "FROM process AS p LEFT JOIN host AS h ON h.id = p.host ORDER BY p.id",
	 false,
	 NULL,
	 {COPY(1),
	  COPY(2),
	  COPY(3),
	  COPY(4),
	  COPY(5),
	  COPY(6),
	  COPY(7),
	  COPY(8),
	  COPY(9),
	  COPY(10),
	  COPY(11),
	  {PLAIN_NUMBER, 12},
	  {PLAIN_NUMBER, 13},
	  {PLAIN_FILE, 0}}},
	{"host",
	 "CREATE TABLE x(host TEXT, boot TEXT, machine_id TEXT, kernel TEXT, arch TEXT, hz "
	 "INTEGER, "
	 "time_zone TEXT, cpus INTEGER, facts TEXT, tool TEXT, file TEXT)",
	 "SELECT NULL, hostname, boot_id, machine_id, kernel, arch, hz, time_zone, cpus, facts, "
	 "tool FROM host ORDER BY id",
	 false,
	 NULL,
	 {COPY(1),
	  COPY(2),
	  COPY(3),
	  COPY(4),
	  COPY(5),
	  COPY(6),
	  COPY(7),
	  COPY(8),
	  COPY(9),
	  COPY(10),
	  {PLAIN_FILE, 0}}},
	{"cgroup",
	 "CREATE TABLE x(host TEXT, boot TEXT, id INTEGER, path TEXT, container TEXT, "
	 "first_snapshot INTEGER, file TEXT)",
	 "SELECT NULL, h.hostname, h.boot_id, c.id, c.path, c.container, c.first_snapshot "
	 "FROM cgroup AS c LEFT JOIN host AS h ON h.id = c.host ORDER BY c.host, c.id",
	 false,
	 "cgroup",
	 {COPY(1), COPY(2), COPY(3), COPY(4), COPY(5), {PLAIN_NUMBER, 6}, {PLAIN_FILE, 0}}},
	{"netns_fact",
	 "CREATE TABLE x(netns INTEGER, first_snapshot INTEGER, facts TEXT, file TEXT)",
	 "SELECT NULL, n.inode, f.first_snapshot, f.facts FROM netns_fact AS f "
	 "LEFT JOIN netns AS n ON n.id = f.netns ORDER BY f.netns, f.first_snapshot",
	 false,
	 "netns_fact",
	 {COPY(1), {PLAIN_NUMBER, 2}, COPY(3), {PLAIN_FILE, 0}}},
	{"netns",
	 "CREATE TABLE x(netns INTEGER, name TEXT, cookie INTEGER, file TEXT)",
	 "SELECT NULL, inode, name, cookie FROM netns ORDER BY id",
	 false,
	 NULL,
	 {COPY(1), COPY(2), COPY(3), {PLAIN_FILE, 0}}},
	{"interface",
	 "CREATE TABLE x(netns INTEGER, ifindex INTEGER, name TEXT, first_snapshot INTEGER, "
	 "file TEXT)",
	 "SELECT NULL, n.inode, i.ifindex, i.name, i.first_snapshot FROM interface AS i "
	 "LEFT JOIN netns AS n ON n.id = i.netns ORDER BY 1, 2",
	 false,
	 NULL,
	 {COPY(1), COPY(2), COPY(3), {PLAIN_NUMBER, 4}, {PLAIN_FILE, 0}}},
	{"event",
	 "CREATE TABLE x(time_ns INTEGER, host TEXT, kind TEXT, text TEXT, end_ns INTEGER, "
	 "count INTEGER, file TEXT)",
	 "SELECT NULL, wall_ns, (SELECT hostname FROM host ORDER BY id LIMIT 1), kind, text, "
	 "end_ns, count FROM event ORDER BY id",
	 false,
	 NULL,
	 {COPY(1), COPY(2), COPY(3), COPY(4), COPY(5), COPY(6), {PLAIN_FILE, 0}}},
};

const size_t plain_tables_count = sizeof(plain_tables) / sizeof(plain_tables[0]);
