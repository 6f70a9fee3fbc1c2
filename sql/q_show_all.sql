-- Which sockets were there in one snapshot, with every column that was recorded?
--
-- Parameters  :snapshot  number in the history
--             In place of FILTER between the comment marks stands what a filter became.
-- Columns     those of table socket; what is measured carries its unit in its name.
SELECT * FROM socket WHERE snapshot = :snapshot AND /*FILTER*/ 1;
