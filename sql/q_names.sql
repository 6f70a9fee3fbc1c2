-- What did the watched names resolve to, and when did that change?
--
-- Parameters  :last  how many changes at most, the last ones; -1: all
-- Columns     host
--             name    as it was watched: NAME or NAME:PORT
--             answer  addresses, IPv4 first; empty if there were none
--             error   why there were none, or NULL
--             from    begin of the first snapshot as of which it was so, ns since the epoch
--             to      begin of the last one
SELECT host, name, answer, error, "from", "to" FROM (
  SELECT host, name, answer, error, from_ns AS "from", to_ns AS "to" FROM resolved
   ORDER BY from_ns DESC LIMIT :last
) ORDER BY host, name, "from";
