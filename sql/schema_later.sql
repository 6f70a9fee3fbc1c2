-- Tables that a recording of an earlier recorder lacks; a writer adds them when it opens one.
-- schema.sql has all others.

CREATE TABLE IF NOT EXISTS watermark ( -- how far each CPU had come in giving out inodes
  snapshot INTEGER PRIMARY KEY,
  begin_us INTEGER NOT NULL,           -- after snapshot.mono_begin_ns, around all marks
  end_us   INTEGER NOT NULL,
  inodes   BLOB NOT NULL               -- 4 bytes a CPU, little-endian; 0: off line, 1: not known
);

CREATE TABLE IF NOT EXISTS process_files ( -- open files of the processes that have many, when their number changed
  process     INTEGER NOT NULL,            -- row of table process
  snapshot    INTEGER NOT NULL,
  files       INTEGER NOT NULL,            -- open descriptors of any kind
  files_limit INTEGER,                     -- RLIMIT_NOFILE, the soft one; NULL: not known, or none
  PRIMARY KEY (process, snapshot)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS netns_fact ( -- what is set otherwise than host.facts say
  netns          INTEGER NOT NULL,
  first_snapshot INTEGER NOT NULL,      -- from which on
  facts          TEXT    NOT NULL,      -- JSON object
  PRIMARY KEY (netns, first_snapshot)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS cgroup (     -- paths of the cgroups (v2) that sockets name by id
  host           INTEGER NOT NULL,
  id             INTEGER NOT NULL,      -- socket.cgroup_id
  path           TEXT,                  -- NULL: it was gone already
  container      TEXT,
  first_snapshot INTEGER NOT NULL,
  PRIMARY KEY (host, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS scope ( -- what was to be recorded from this snapshot on; no row: everything
  snapshot INTEGER PRIMARY KEY,
  text     TEXT NOT NULL           -- "-A tcp,udp state established": tables, then the filter; '': everything
);
