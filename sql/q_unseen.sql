-- How many TCP connections did the kernel open, by its own count?
--
-- Those that came and went between two snapshots are in this number, but in no snapshot.
--
-- Parameters  :from_ns :to_ns  between snapshots that began within these times (wall clock, ns)
-- Columns     opened     Tcp.ActiveOpens + Tcp.PassiveOpens, of all network namespaces and boots;
--                        NULL if the recordings have no such counters
SELECT sum(more) AS opened
  FROM (SELECT max(value) - min(value) AS more
          FROM counter
         WHERE name IN ('Tcp.ActiveOpens', 'Tcp.PassiveOpens')
           AND time_ns BETWEEN :from_ns AND :to_ns
         GROUP BY host, boot, netns, name);
