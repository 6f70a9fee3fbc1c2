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
