-- What is different between two snapshots, summed by keys?
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
--             In place of KEYS stand the columns to sum by.
-- Columns     the keys; sockets of A and of B and how many more there are; how many connections
--             appeared, are gone, changed state, changed owner, are stuck
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
SELECT /*KEYS*/ count(state_a) AS a, count(state_b) AS b,
       count(state_b) - count(state_a) AS more,
       count(*) FILTER (WHERE change = 'appeared') AS appeared,
       count(*) FILTER (WHERE change = 'gone') AS gone,
       count(*) FILTER (WHERE change = 'changed') AS changed,
       count(*) FILTER (WHERE change = 'owner') AS owner,
       count(*) FILTER (WHERE change = 'stuck') AS stuck
  FROM told
 GROUP BY /*GROUP*/
 ORDER BY abs(count(state_b) - count(state_a)) DESC, count(*) DESC, /*GROUP*/;
