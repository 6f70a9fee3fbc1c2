-- How many snapshots were not taken, and why?
--
-- Parameters  none
-- Columns     host     the recording's first one
--             text     why
--             missed   snapshots that were not taken
--             gaps     in so many rows of table event
--             longest  ms from the first to the last moment of the longest one
--             first    moment that was missed, ns since the epoch
--             last     moment that was missed
SELECT host, text, sum(count) AS missed, count(*) AS gaps,
       max(coalesce(end_ns, time_ns) - time_ns) / 1000000 AS longest,
       min(time_ns) AS first, max(coalesce(end_ns, time_ns)) AS last
  FROM event WHERE kind = 'gap' GROUP BY host, text ORDER BY missed DESC, first;
