-- What was the recorder told to keep, if not everything?
--
-- Parameters  none
-- Columns     host
--             scope  tables (-A) and filter; empty: everything, from then on
--             from   begin of the first snapshot of that scope, ns since the epoch
SELECT host, text AS scope, time_ns AS "from" FROM (
  SELECT host, text, time_ns, snapshot,
         lag(text) OVER (PARTITION BY host ORDER BY snapshot) AS before
    FROM scope
) WHERE before IS NOT text ORDER BY snapshot;
