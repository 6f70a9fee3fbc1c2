-- What is different between two snapshots, connection by connection?
--
-- appeared   not in A                    gone     not in B
-- reused     appeared, under addresses and ports that another one had in A
-- changed    another state               owner    held by another process
-- stuck      in the same state, and what ought to move does not: `why` says what
-- passed     in neither, but in a snapshot between them (only if :through is not 0)
-- Of these the first that is true. A connection is the same if cookie and addresses are.
--
-- Parameters  :a :b  numbers of the two snapshots; :through  look at those between them too
--             :every  0: leave out connections that obviously stand still (they are not told anyway)
--             In place of FILTER between the comment marks stands what a filter became; a
--             connection counts if it matches in A or in B.
-- Columns     of B, or of A for those that are gone; state_a, pid_a, ... of A, NULL if it was not there
WITH ask AS (SELECT :a, :b, :through, :every), -- named before what stands in the filter
s AS (
  SELECT snapshot, host, boot, netns, netns_name, cookie, proto, family, state, local, local_port,
         peer, peer_port, inode, recvq, sendq, timer, retrans, uid, pid, comm, exe, cmdline, cgroup,
         container, owner_source, delivered, data_segs_in, bytes_received, v6only,
         (/*FILTER*/ 1) AS matched,
         state = 'UNCONN' AND proto = 'tcp' AND peer_port > 0 AS shell,
         coalesce(local_port, 0) AS k_lport, coalesce(peer_port, 0) AS k_pport
    FROM differing(:a, :b, :every)
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
-- The last sight of each connection between the two that is in neither. NULL is written as a blob:
-- nothing recorded is equal to one.
p AS (
  SELECT max(snapshot) AS snapshot, host, boot, netns, netns_name, cookie, proto, family, state,
         local, local_port, peer, peer_port, recvq, sendq, timer, uid, pid, comm, exe, cmdline,
         cgroup, container, owner_source, v6only, sum(/*FILTER*/ 1) AS matched,
         coalesce(local_port, 0) AS k_lport, coalesce(peer_port, 0) AS k_pport
    FROM differing(:a, :b, :every)
   WHERE :through AND snapshot > :a AND snapshot < :b
     -- CASE, not NOT IN: that would look through all of the set whether a NULL is in it
     AND CASE WHEN (cookie, coalesce(local_port, 0), coalesce(peer_port, 0), proto,
                    coalesce(netns, x''), coalesce(local, x''), coalesce(peer, x''), boot) IN
                   (SELECT cookie, k_lport, k_pport, proto, coalesce(netns, x''),
                           coalesce(local, x''), coalesce(peer, x''), boot
                      FROM a
                     UNION ALL
                    SELECT cookie, k_lport, k_pport, proto, coalesce(netns, x''),
                           coalesce(local, x''), coalesce(peer, x''), boot
                      FROM b)
              THEN 0 ELSE 1 END
   GROUP BY cookie, k_lport, k_pport, proto, netns, local, peer, boot
   LIMIT -1
),
both AS (
  SELECT b.*, a.state AS state_a, a.recvq AS recvq_a, a.sendq AS sendq_a, a.pid AS pid_a,
         a.comm AS comm_a, a.matched AS matched_a,
         b.proto = 'tcp' AND b.inode = 0 AND a.inode = 0 AND b.state IN ('ESTAB', 'CLOSE-WAIT')
           AS unaccepted,
         -- as much more lies in the queue as has arrived; a FIN counts as a byte in both
         b.recvq > 0 AND b.recvq - a.recvq =
           coalesce(b.bytes_received, 0) - coalesce(a.bytes_received, 0) AS unread,
         b.delivered IS a.delivered AND b.data_segs_in IS a.data_segs_in AND b.recvq = a.recvq
           AND b.sendq >= a.sendq AS still,
         b.recvq > b.sendq AND a.recvq > a.sendq AS backlog
    FROM b LEFT JOIN a
      ON a.cookie = b.cookie AND a.k_lport = b.k_lport AND a.k_pport = b.k_pport
     AND a.proto = b.proto AND a.netns IS b.netns AND a.local IS b.local
     AND a.peer IS b.peer AND a.boot = b.boot
   WHERE b.matched OR a.matched
),
judged AS (
  SELECT *, CASE
      WHEN state <> state_a OR state IN ('UNCONN', 'TIME-WAIT') THEN NULL
      WHEN state = 'LISTEN' THEN CASE WHEN backlog AND proto = 'tcp' THEN 'the backlog is full' END
      WHEN unaccepted THEN 'not accepted'
      WHEN unread AND state = 'CLOSE-WAIT' THEN 'input or EOF not read'
      WHEN unread THEN 'input not read'
      WHEN NOT still THEN NULL
      WHEN sendq > 0 AND timer = 'persist' THEN 'the peer''s window is closed'
      WHEN state = 'SYN-SENT' THEN 'not answered, retries: ' || retrans
      WHEN sendq > 0 AND retrans > 0 THEN 'not acknowledged, retries: ' || retrans
      WHEN state = 'CLOSE-WAIT' THEN 'not closed here'
      WHEN state = 'FIN-WAIT-2' THEN 'not closed by the peer'
      WHEN state = 'SYN-RECV' THEN 'the handshake is not completed'
      WHEN state <> 'ESTAB' OR sendq > 0 THEN 'nothing is delivered'
    END AS why
    FROM both
),
told AS (
  SELECT CASE WHEN state_a IS NULL THEN
                CASE WHEN k_pport > 0 AND (netns, proto, local, k_lport, peer, k_pport) IN
                       (SELECT netns, proto, local, k_lport, peer, k_pport FROM a)
                     THEN 'reused' ELSE 'appeared' END
              WHEN state_a <> state THEN 'changed'
              WHEN pid_a <> pid THEN 'owner'
              WHEN why IS NOT NULL THEN 'stuck'
         END AS change, why, 0 AS in_a, 1 AS in_b,
         host, netns, netns_name, cookie, proto, family, state, local, local_port, peer, peer_port,
         timer, uid, pid, comm, exe, cmdline, cgroup, container, owner_source, v6only,
         state_a, state AS state_b, recvq_a, recvq AS recvq_b, sendq_a, sendq AS sendq_b, pid_a,
         pid AS pid_b, comm_a, comm AS comm_b
    FROM judged
  UNION ALL
  SELECT CASE WHEN b.cookie IS NULL THEN 'gone' END, NULL, 1, 0,
         a.host, a.netns, a.netns_name, a.cookie, a.proto, a.family, a.state, a.local, a.local_port,
         a.peer, a.peer_port, a.timer, a.uid, a.pid, a.comm, a.exe, a.cmdline, a.cgroup, a.container,
         a.owner_source, a.v6only, a.state, NULL, a.recvq, NULL, a.sendq, NULL, a.pid, NULL, a.comm, NULL
    FROM a LEFT JOIN b
      ON a.cookie = b.cookie AND a.k_lport = b.k_lport AND a.k_pport = b.k_pport
     AND a.proto = b.proto AND a.netns IS b.netns AND a.local IS b.local
     AND a.peer IS b.peer AND a.boot = b.boot
   WHERE a.matched OR b.matched
  UNION ALL
  SELECT 'passed', NULL, 0, 0,
         p.host, p.netns, p.netns_name, p.cookie, p.proto, p.family, p.state, p.local, p.local_port,
         p.peer, p.peer_port, p.timer, p.uid, p.pid, p.comm, p.exe, p.cmdline, p.cgroup, p.container,
         p.owner_source, p.v6only, NULL, p.state, NULL, p.recvq, NULL, p.sendq, NULL, p.pid, NULL, p.comm
    FROM p
   WHERE p.matched
)
-- ROWS: q_diff_by.sql may stand in place of what follows.
SELECT change, why, host, netns, cookie, proto, family, local, local_port, peer, peer_port, state_a,
       state_b, recvq_a, recvq_b, sendq_a, sendq_b, pid_a, pid_b, comm_a, comm_b, owner_source, v6only
  FROM told
 WHERE change IS NOT NULL
 ORDER BY CASE change WHEN 'appeared' THEN 1 WHEN 'reused' THEN 2 WHEN 'gone' THEN 3
                      WHEN 'changed' THEN 4 WHEN 'owner' THEN 5 WHEN 'stuck' THEN 6 ELSE 7 END,
          coalesce(comm_b, comm_a), state_b, state_a, local, local_port, peer, peer_port;
