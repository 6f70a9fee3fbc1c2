-- What is different between two snapshots, summed by keys? Stands behind the tables that q_diff.sql
-- makes, in place of its last statement:
--
--   { sed '/^-- ROWS/,$d' sql/q_diff.sql; cat sql/q_diff_by.sql; }
--
-- Parameters  as there; in place of KEYS and GROUP stand the columns to sum by.
-- Columns     the keys; sockets of A and of B and how many more there are; how many connections
--             appeared (reused ports among them), are gone, changed state, changed owner, are stuck,
--             passed. What was in A counts by its keys in A, everything else by those in B.
SELECT /*KEYS*/ sum(in_a) AS a, sum(in_b) AS b, sum(in_b) - sum(in_a) AS more,
       count(*) FILTER (WHERE change IN ('appeared', 'reused')) AS appeared,
       count(*) FILTER (WHERE change = 'gone') AS gone,
       count(*) FILTER (WHERE change = 'changed') AS changed,
       count(*) FILTER (WHERE change = 'owner') AS owner,
       count(*) FILTER (WHERE change = 'stuck') AS stuck,
       count(*) FILTER (WHERE change = 'passed') AS passed
  FROM told
 GROUP BY /*GROUP*/
 ORDER BY abs(sum(in_b) - sum(in_a)) DESC, sum(in_b) DESC, /*GROUP*/;
