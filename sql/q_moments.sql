-- Which were the last events that are no gaps, in the order of time?
--
-- Parameters  :last  how many
-- Columns     time  ns since the epoch
--             host  the recording's first one
--             kind  start, stop, note, set-aside, ...
--             text  the note
SELECT time, host, kind, text FROM (
  SELECT time_ns AS time, host, kind, text FROM event
   WHERE kind <> 'gap' ORDER BY time_ns DESC LIMIT :last
) ORDER BY time;
