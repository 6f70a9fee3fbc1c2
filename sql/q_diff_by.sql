-- What is different between two snapshots, summed by keys?
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
--             In place of KEYS and GROUP stand the columns to sum by.
-- Columns     the keys; sockets of A and of B and how many more there are; how many connections
--             appeared, are gone, changed state, changed owner, are stuck. What was in A counts by
--             its keys in A, everything else by those in B.
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
  SELECT b.*, 0 AS in_a, 1 AS in_b, CASE WHEN a.state IS NULL THEN 'appeared'
              WHEN a.state <> b.state THEN 'changed'
              WHEN a.pid <> b.pid THEN 'owner'
              WHEN a.recvq = b.recvq AND a.sendq = b.sendq AND a.delivered IS b.delivered
                   AND a.data_segs_in IS b.data_segs_in
                   AND b.state NOT IN ('LISTEN', 'UNCONN', 'TIME-WAIT')
                   AND (b.state <> 'ESTAB' OR b.recvq > 0 OR b.sendq > 0) THEN 'stuck'
         END AS change
    FROM b LEFT JOIN a
      ON a.cookie = b.cookie AND a.local_port IS b.local_port AND a.peer_port IS b.peer_port
     AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto AND a.local IS b.local
     AND a.peer IS b.peer
   WHERE b.matched OR a.matched
  UNION ALL
  SELECT a.*, 1, 0, CASE WHEN b.cookie IS NULL THEN 'gone' END
    FROM a LEFT JOIN b
      ON a.cookie = b.cookie AND a.local_port IS b.local_port AND a.peer_port IS b.peer_port
     AND a.boot = b.boot AND a.netns IS b.netns AND a.proto = b.proto AND a.local IS b.local
     AND a.peer IS b.peer
   WHERE a.matched OR b.matched
)
SELECT /*KEYS*/ sum(in_a) AS a, sum(in_b) AS b, sum(in_b) - sum(in_a) AS more,
       count(*) FILTER (WHERE change = 'appeared') AS appeared,
       count(*) FILTER (WHERE change = 'gone') AS gone,
       count(*) FILTER (WHERE change = 'changed') AS changed,
       count(*) FILTER (WHERE change = 'owner') AS owner,
       count(*) FILTER (WHERE change = 'stuck') AS stuck
  FROM told
 GROUP BY /*GROUP*/
 ORDER BY abs(sum(in_b) - sum(in_a)) DESC, sum(in_b) DESC, /*GROUP*/;
