-- How many sockets were there, snapshot by snapshot, by table and state?
--
-- From the tallies that each snapshot has: no frame is opened.
--
-- Parameters  :from_ns :to_ns  snapshots that began between these times (wall clock, ns)
-- Columns     snapshot, host, proto, state, sockets
SELECT snapshot, host, proto, state, sockets
  FROM tally
 WHERE time_ns BETWEEN :from_ns AND :to_ns;
