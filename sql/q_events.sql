-- What happened to the recorder and what was noted, in the order of time?
--
-- Parameters  none
-- Columns     time   ns since the epoch
--             host   the recording's first one
--             kind   start, stop, gap, note, ...
--             text   the note, or why there is a gap
--             end    of a gap: its last moment
--             missed of a gap: how many snapshots were not taken
SELECT time_ns AS time, host, kind, text, end_ns AS "end",
       CASE WHEN kind = 'gap' THEN count END AS missed
  FROM event ORDER BY time_ns;
