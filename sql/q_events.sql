-- What happened to the recorder and what was noted, in the order of time?
--
-- Parameters  none
-- Columns     time  ns since the epoch
--             host  the recording's first one
--             kind  start, stop, gap, note, ...
--             text  the reason, or the note
SELECT time_ns AS time, host, kind, text FROM event ORDER BY time_ns;
