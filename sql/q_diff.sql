-- What is different between two snapshots, connection by connection?
--
-- appeared   not in A            gone     not in B
-- changed    another state       owner    held by another process
-- stuck      in the same state with the same queues, no data segment arrived and none of ours was
--            delivered (what is only sent again counts as nothing), and something is waiting:
--            data in a queue, or a state that ought to pass (SYN-SENT, CLOSE-WAIT, FIN-WAIT, ...)
-- Of these the first that is true. A connection is the same if cookie and addresses are.
--
-- Parameters  :a :b  numbers of the two snapshots
--             In place of FILTER between the comment marks stands what a filter became; a
--             connection counts if it matches in A or in B.
-- Columns     of B, or of A for those that are gone; state_a, pid_a, ... of A, NULL if it was not there
WITH s AS (
  SELECT snapshot, host, boot, netns, netns_name, cookie, proto, family, state, local, local_port,
         peer, peer_port, recvq, sendq, timer, uid, pid, comm, exe, cmdline, cgroup, container,
         owner_source, delivered, data_segs_in, (/*FILTER*/ 1) AS matched,
         state = 'UNCONN' AND proto = 'tcp' AND peer_port > 0 AS shell
    FROM socket
   WHERE snapshot IN (:a, :b)
   LIMIT -1 -- keeps it a table of its own: joined by an index, not by scanning
),
-- A closed socket that is still held while its connection is in TIME-WAIT is no other connection.
a AS (
  SELECT * FROM s
   WHERE snapshot = :a
     AND (NOT shell OR (cookie, netns, local_port, peer_port) NOT IN
          (SELECT cookie, netns, local_port, peer_port FROM s
            WHERE snapshot = :a AND state = 'TIME-WAIT'))
   LIMIT -1
),
b AS (
  SELECT * FROM s
   WHERE snapshot = :b
     AND (NOT shell OR (cookie, netns, local_port, peer_port) NOT IN
          (SELECT cookie, netns, local_port, peer_port FROM s
            WHERE snapshot = :b AND state = 'TIME-WAIT'))
   LIMIT -1
),
told AS (
  SELECT CASE WHEN a.state IS NULL THEN 'appeared'
              WHEN a.state <> b.state THEN 'changed'
              WHEN a.pid <> b.pid THEN 'owner'
              WHEN a.recvq = b.recvq AND a.sendq = b.sendq AND a.delivered IS b.delivered
                   AND a.data_segs_in IS b.data_segs_in
                   AND b.state NOT IN ('LISTEN', 'UNCONN', 'TIME-WAIT')
                   AND (b.state <> 'ESTAB' OR b.recvq > 0 OR b.sendq > 0) THEN 'stuck'
         END AS change, b.host, b.netns, b.cookie, b.proto, b.family, b.local, b.local_port,
         b.peer, b.peer_port, a.state AS state_a, b.state AS state_b, a.recvq AS recvq_a,
         b.recvq AS recvq_b, a.sendq AS sendq_a, b.sendq AS sendq_b, a.pid AS pid_a,
         b.pid AS pid_b, a.comm AS comm_a, b.comm AS comm_b, b.owner_source
    FROM b LEFT JOIN a
      ON a.cookie = b.cookie AND a.local_port IS b.local_port AND a.peer_port IS b.peer_port
     AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto AND a.local IS b.local
     AND a.peer IS b.peer
   WHERE b.matched OR a.matched
  UNION ALL
  SELECT 'gone', a.host, a.netns, a.cookie, a.proto, a.family, a.local, a.local_port,
         a.peer, a.peer_port, a.state, NULL, a.recvq, NULL, a.sendq, NULL, a.pid, NULL, a.comm,
         NULL, a.owner_source
    FROM a LEFT JOIN b
      ON a.cookie = b.cookie AND a.local_port IS b.local_port AND a.peer_port IS b.peer_port
     AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto AND a.local IS b.local
     AND a.peer IS b.peer
   WHERE b.cookie IS NULL AND a.matched
)
SELECT *
  FROM told
 WHERE change IS NOT NULL
 ORDER BY CASE change WHEN 'appeared' THEN 1 WHEN 'gone' THEN 2 WHEN 'changed' THEN 3
                      WHEN 'owner' THEN 4 ELSE 5 END,
          coalesce(comm_b, comm_a), state_b, state_a, local, local_port, peer, peer_port;
