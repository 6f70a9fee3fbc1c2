-- Which snapshots are there, and what is in them?
--
-- Parameters  :from_ns :to_ns  begins between these times (wall clock, ns since the epoch)
-- Columns     snapshot   its number in the history
--             time       when it began, ns since the epoch
--             host       whose it is
--             sockets    of all tables
--             estab listen time_wait close_wait   of those, TCP sockets in these states
--             flags      what is not as it should be, or empty
--             bytes      of its frame, compressed
--             duration_ms  from begin to end
WITH states AS (
  SELECT snapshot,
         sum(sockets) FILTER (WHERE state = 'ESTAB') AS estab,
         sum(sockets) FILTER (WHERE state = 'LISTEN') AS listen,
         sum(sockets) FILTER (WHERE state = 'TIME-WAIT') AS time_wait,
         sum(sockets) FILTER (WHERE state = 'CLOSE-WAIT') AS close_wait
    FROM tally
   WHERE proto = 'tcp'
   GROUP BY snapshot
)
SELECT s.snapshot, s.time_ns AS time, s.host, s.sockets,
       coalesce(t.estab, 0) AS estab, coalesce(t.listen, 0) AS listen,
       coalesce(t.time_wait, 0) AS time_wait, coalesce(t.close_wait, 0) AS close_wait,
       snapshot_flags(s.flags) AS flags, s.bytes,
       (s.boottime_end_ns - s.boottime_ns) / 1e6 AS duration_ms
  FROM snapshot AS s LEFT JOIN states AS t ON t.snapshot = s.snapshot
 WHERE s.time_ns BETWEEN :from_ns AND :to_ns
 ORDER BY s.snapshot;
