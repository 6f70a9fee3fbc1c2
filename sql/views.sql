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
