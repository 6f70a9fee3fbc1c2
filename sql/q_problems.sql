-- What could not be seen, or not whole, and in how many snapshots?
--
-- Parameters  none
-- Columns     host       whose snapshots
--             text       the part, and why
--             snapshots  in so many of them
--             first      begin of the first of them, ns since the epoch
--             last       begin of the last one
SELECT s.host, p.value AS text, count(*) AS snapshots, min(s.time_ns) AS first,
       max(s.time_ns) AS last
  FROM snapshot AS s,
       json_each(CASE WHEN json_valid(s.costs) THEN s.costs ELSE '{}' END, '$.problems') AS p
 GROUP BY s.host, p.value ORDER BY snapshots DESC, first LIMIT 50;
