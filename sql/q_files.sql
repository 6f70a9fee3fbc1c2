-- How many files do processes have open, how fast does that grow, and when is the limit reached?
--
-- Parameters  :from_ns :to_ns  only what was recorded between these
-- Columns     host boot pid start_ticks comm   the process: one that had 128 open files or more
--             files files_limit                at last, and RLIMIT_NOFILE (NULL: not known)
--             per_hour                         growth since the first row; NULL: there is but one
--             full_ns                          when the limit is reached if it goes on like this
SELECT host, boot, pid, start_ticks, comm, files, files_limit,
       CAST(round((files - first_files) * 3.6e12 / nullif(time_ns - first_ns, 0)) AS INTEGER)
         AS per_hour,
       CASE WHEN files > first_files AND files_limit > files AND time_ns > first_ns
            THEN time_ns + CAST((files_limit - files) * 1.0 * (time_ns - first_ns)
                                / (files - first_files) AS INTEGER) END AS full_ns
  FROM (SELECT *, first_value(files) OVER w AS first_files, first_value(time_ns) OVER w AS first_ns,
               row_number() OVER (PARTITION BY host, boot, pid, start_ticks
                                  ORDER BY snapshot DESC) AS back
          FROM process_files
         WHERE time_ns BETWEEN :from_ns AND :to_ns
        WINDOW w AS (PARTITION BY host, boot, pid, start_ticks ORDER BY snapshot))
 WHERE back = 1
 ORDER BY files DESC, pid;
