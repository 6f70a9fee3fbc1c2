-- Which sockets were there in one snapshot, with what `show` writes of them as text?
--
-- Parameters  :snapshot  number in the history
--             In place of FILTER between the comment marks stands what a filter became, in place of
--             COLUMNS the columns of table socket that the options ask for.
-- Columns     those of table socket; what is measured carries its unit in its name.
SELECT /*COLUMNS*/ snapshot FROM socket WHERE snapshot = :snapshot AND /*FILTER*/ 1;
