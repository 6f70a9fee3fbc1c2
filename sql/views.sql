-- Views over the tables of a history (analyzer/README.md lists the tables).

-- Sockets of each snapshot, with whoever is to blame for them: `socket` without the columns that
-- only a kernel developer asks for.
CREATE TEMP VIEW brief AS
SELECT snapshot, time_ns, host, netns, cookie, proto, state, recvq, sendq, local, local_port, peer,
       peer_port, timer, timer_ms, uid, pid, comm, fd, owner_source
  FROM socket;

-- How many sockets were in which state, snapshot by snapshot, without opening a frame.
CREATE TEMP VIEW state_count AS
SELECT snapshot, time_ns, host, state, sum(sockets) AS sockets
  FROM tally
 GROUP BY snapshot, state;

-- Changes of state, between two bounds of time; to_state NULL: the connection ended.
CREATE TEMP VIEW transition AS
SELECT host, boot, netns, cookie, proto, local, local_port, peer, peer_port, comm, pid,
       state_before AS from_state, state AS to_state, first_snapshot AS snapshot,
       entered_lo_ns AS lo_ns, entered_hi_ns AS hi_ns
  FROM spell
 WHERE state_before IS NOT NULL
UNION ALL
SELECT host, boot, netns, cookie, proto, local, local_port, peer, peer_port, comm, pid,
       state, NULL, last_snapshot, left_lo_ns, left_hi_ns
  FROM spell
 WHERE state_after IS NULL AND NOT open;

-- What watched names resolved to, and from which snapshot to which. Table `name` has a row for each
-- change and for the first answer in a file; what did not change from one file to the next is one
-- row here. A name is said to resolve to something only while it is watched.
CREATE TEMP VIEW resolved AS
WITH file_end AS (
  SELECT file, max(snapshot) AS last FROM snapshot GROUP BY file
), told AS (
  SELECT n.host, n.name, n.answer, n.error, n.snapshot AS first,
         min(coalesce(lead(n.snapshot) OVER w - 1, e.last), e.last) AS last
    FROM name AS n JOIN snapshot AS s ON s.snapshot = n.snapshot JOIN file_end AS e USING (file)
  WINDOW w AS (PARTITION BY n.host, n.name ORDER BY n.snapshot)
), marked AS (
  SELECT *, lag(answer) OVER w IS NOT answer OR lag(error) OVER w IS NOT error
            OR lag(last) OVER w <> first - 1 AS changed
    FROM told
  WINDOW w AS (PARTITION BY host, name ORDER BY first)
), counted AS (
  SELECT *, sum(changed) OVER (PARTITION BY host, name ORDER BY first) AS turn FROM marked
), spans AS (
  SELECT host, name, answer, error, min(first) AS first_snapshot, max(last) AS last_snapshot
    FROM counted WHERE error IS NOT 'not watched' GROUP BY host, name, turn
)
SELECT host, name, answer, error, first_snapshot, last_snapshot,
       (SELECT time_ns FROM snapshot AS s WHERE s.snapshot = first_snapshot) AS from_ns,
       (SELECT time_ns FROM snapshot AS s WHERE s.snapshot = last_snapshot) AS to_ns
  FROM spans;

-- Sockets with the cgroup that the kernel tells of them, which stays on those that no process holds:
-- orphans, and connections that nobody has accepted.
CREATE TEMP VIEW socket_cgroup AS
SELECT s.snapshot, s.time_ns, s.host, s.netns, s.cookie, s.proto, s.state, s.local, s.local_port,
       s.peer, s.peer_port, s.pid, s.comm, s.owner_source, s.cgroup_id, c.path AS cgroup_path,
       c.container AS cgroup_container
  FROM socket AS s LEFT JOIN cgroup AS c ON c.id = s.cgroup_id AND c.boot = s.boot;

-- How full the hash table of TCP connections is. entries < 0: a namespace that shares the table of
-- the host's own, whose load is that of all who share it; NULL: the kernel does not tell (before 6.1).
CREATE TEMP VIEW ehash_load AS
WITH own AS (
  SELECT snapshot, boot, netns, count(*) AS sockets FROM socket
   WHERE proto = 'tcp' AND state NOT IN ('LISTEN', 'UNCONN') GROUP BY snapshot, netns),
sized AS (
  SELECT own.*, coalesce(
    (SELECT json_extract(f.facts, '$.tcp_ehash_entries') FROM netns_fact AS f
      WHERE f.netns = own.netns AND f.first_snapshot <= own.snapshot
      ORDER BY f.first_snapshot DESC LIMIT 1),
    (SELECT json_extract(h.facts, '$.tcp_ehash_entries') FROM host AS h
      WHERE h.boot = own.boot LIMIT 1)) AS entries FROM own)
SELECT snapshot, netns, sockets, entries,
       sum(sockets) OVER (PARTITION BY snapshot, abs(entries)) * 1.0 / abs(entries) AS load
  FROM sized;
