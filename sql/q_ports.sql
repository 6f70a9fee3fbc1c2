-- How many of the ports that the kernel hands out (ip_local_port_range) are in use for each source,
-- destination and port, and by whom? When all of them are, connect() there fails (EADDRNOTAVAIL).
--
-- Parameters  :snapshot  number in the history
--             In place of FILTER between the comment marks stands what a filter became.
-- Columns     local, peer, peer_port; ports: different local ports within the range, those of
--             listeners left out; range: how many there are; percent; time_wait, estab: of the
--             ports, those in these states; comm: who has most of them, also in the past (a TIME-WAIT
--             belongs to whoever held it), and how many (comm_ports); NULL if nobody is known. TCP; the range is that of the
--             recorder's own network namespace.
WITH range AS (
  SELECT CAST(json_extract(h.facts, '$.ip_local_port_range[0]') AS INTEGER) AS lo,
         CAST(json_extract(h.facts, '$.ip_local_port_range[1]') AS INTEGER) AS hi
    FROM snapshot JOIN host AS h USING (boot)
   WHERE snapshot = :snapshot
   LIMIT 1
),
s AS (
  SELECT host, netns, netns_name, state, local, local_port, peer, peer_port, comm,
         (/*FILTER*/ 1) AS matched
    FROM socket
   WHERE snapshot = :snapshot AND proto = 'tcp'
   LIMIT -1
),
used AS (
  SELECT host, netns, netns_name, local, peer, peer_port, comm, lo, hi,
         count(DISTINCT local_port) AS ports,
         count(DISTINCT CASE WHEN state = 'TIME-WAIT' THEN local_port END) AS time_wait,
         count(DISTINCT CASE WHEN state = 'ESTAB' THEN local_port END) AS estab
    FROM s JOIN range
   WHERE matched AND peer_port > 0 AND local_port BETWEEN lo AND hi
     AND (coalesce(netns, 0), local_port) NOT IN
         (SELECT coalesce(netns, 0), local_port FROM s WHERE state = 'LISTEN')
   GROUP BY host, netns, local, peer, peer_port, comm
)
SELECT host, netns, netns_name, local, peer, peer_port, sum(ports) AS ports, hi - lo + 1 AS range,
       round(100.0 * sum(ports) / (hi - lo + 1), 1) AS percent, sum(time_wait) AS time_wait,
       sum(estab) AS estab, comm,
       max(CASE WHEN comm IS NOT NULL THEN ports END) AS comm_ports
  FROM used
 GROUP BY host, netns, local, peer, peer_port
 ORDER BY sum(ports) DESC, local, peer, peer_port;
