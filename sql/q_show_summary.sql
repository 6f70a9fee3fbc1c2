-- How many sockets were there in one snapshot, by table, family and state?
--
-- Parameters  :snapshot  number in the history
--             In place of FILTER between the comment marks stands what a filter became.
-- Columns     sockets, and of those the orphans: connections that no process holds any more.
SELECT proto, family, state, count(*) AS sockets,
       sum(inode = 0 AND state IN ('FIN-WAIT-1', 'FIN-WAIT-2', 'LAST-ACK', 'CLOSING')) AS orphans
  FROM socket
 WHERE snapshot = :snapshot AND /*FILTER*/ 1
 GROUP BY proto, family, state;
