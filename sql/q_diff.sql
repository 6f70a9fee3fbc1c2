-- What is different between two snapshots, connection by connection?
--
-- appeared   not in A            gone     not in B
-- changed    another state       owner    held by another process
-- stuck      in the same state with the same queues, no byte has moved, and something is waiting:
--            data in a queue, or a state that ought to pass (SYN-SENT, CLOSE-WAIT, FIN-WAIT, ...)
-- Of these the first that is true. A connection is the same if cookie and addresses are.
--
-- Parameters  :a :b  numbers of the two snapshots
--             In place of FILTER between the comment marks stands what a filter became; a
--             connection counts if it matches in A or in B.
-- Columns     of B, or of A for those that are gone; state_a, pid_a, ... of A, NULL if it was not there
WITH s AS (
  SELECT snapshot, host, boot, netns, netns_name, cookie, proto, state, local, local_port, peer,
         peer_port, recvq, sendq, timer, uid, pid, comm, exe, cmdline, cgroup, container,
         owner_source, bytes_sent, bytes_received, (/*FILTER*/ 1) AS matched
    FROM socket
   WHERE snapshot IN (:a, :b)
   LIMIT -1 -- keeps it a table of its own: joined by an index, not by scanning
),
a AS (SELECT * FROM s WHERE snapshot = :a LIMIT -1),
b AS (SELECT * FROM s WHERE snapshot = :b LIMIT -1),
pair AS (
  SELECT a.state AS state_a, b.state AS state_b, a.pid AS pid_a, b.pid AS pid_b,
         a.comm AS comm_a, b.comm AS comm_b, a.recvq AS recvq_a, b.recvq AS recvq_b,
         a.sendq AS sendq_a, b.sendq AS sendq_b,
         a.bytes_sent IS b.bytes_sent AND a.bytes_received IS b.bytes_received AS still,
         a.matched OR b.matched AS found, b.*
    FROM b JOIN a
      ON a.cookie = b.cookie AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto
     AND a.local IS b.local AND a.local_port IS b.local_port AND a.peer IS b.peer
     AND a.peer_port IS b.peer_port
  UNION ALL
  SELECT a.state, NULL, a.pid, NULL, a.comm, NULL, a.recvq, NULL, a.sendq, NULL, 0, a.matched, a.*
    FROM a LEFT JOIN b
      ON a.cookie = b.cookie AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto
     AND a.local IS b.local AND a.local_port IS b.local_port AND a.peer IS b.peer
     AND a.peer_port IS b.peer_port
   WHERE b.snapshot IS NULL
  UNION ALL
  SELECT NULL, b.state, NULL, b.pid, NULL, b.comm, NULL, b.recvq, NULL, b.sendq, 0, b.matched, b.*
    FROM b LEFT JOIN a
      ON a.cookie = b.cookie AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto
     AND a.local IS b.local AND a.local_port IS b.local_port AND a.peer IS b.peer
     AND a.peer_port IS b.peer_port
   WHERE a.snapshot IS NULL
),
told AS (
  SELECT CASE WHEN state_b IS NULL THEN 'gone'
              WHEN state_a IS NULL THEN 'appeared'
              WHEN state_a <> state_b THEN 'changed'
              WHEN pid_a <> pid_b THEN 'owner'
              WHEN still AND recvq_a = recvq_b AND sendq_a = sendq_b
                   AND state_b NOT IN ('LISTEN', 'UNCONN', 'TIME-WAIT')
                   AND (state_b <> 'ESTAB' OR recvq_b > 0 OR sendq_b > 0) THEN 'stuck'
         END AS change, *
    FROM pair
   WHERE found
)
SELECT change, host, netns, cookie, proto, local, local_port, peer, peer_port, state_a, state_b,
       recvq_a, recvq_b, sendq_a, sendq_b, pid_a, pid_b, comm_a, comm_b, owner_source
  FROM told
 WHERE change IS NOT NULL
 ORDER BY CASE change WHEN 'appeared' THEN 1 WHEN 'gone' THEN 2 WHEN 'changed' THEN 3
                      WHEN 'owner' THEN 4 ELSE 5 END,
          coalesce(comm_b, comm_a), state_b, state_a, local, local_port, peer, peer_port;
