-- The plain tables of a recording. common/FORMAT.md says what each column means.
-- application_id and user_version are set by the writer.

CREATE TABLE format (
  version      INTEGER NOT NULL,   -- same as PRAGMA user_version
  incompatible INTEGER NOT NULL,   -- feature bits: a reader that does not know one must refuse
  compatible   INTEGER NOT NULL,   -- feature bits: a reader that does not know one may go on
  tool         TEXT    NOT NULL    -- what wrote the file
);

CREATE TABLE host (                -- one row per boot of a recorded host
  id           INTEGER PRIMARY KEY,
  boot_id      TEXT NOT NULL,
  machine_id   TEXT,
  hostname     TEXT NOT NULL,
  kernel       TEXT NOT NULL,
  arch         TEXT NOT NULL,
  hz           INTEGER,            -- kernel ticks a second, NULL if unknown
  time_zone    TEXT,               -- IANA name or POSIX TZ, NULL if unknown
  cpus         INTEGER,
  facts        TEXT NOT NULL,      -- JSON object: sysctls that dwell rules need, port range, ...
  tool         TEXT NOT NULL
);

CREATE TABLE snapshot (
  id            INTEGER PRIMARY KEY,
  host          INTEGER NOT NULL REFERENCES host(id),
  wall_begin_ns INTEGER NOT NULL,  -- CLOCK_REALTIME
  wall_end_ns   INTEGER NOT NULL,
  boot_begin_ns INTEGER NOT NULL,  -- CLOCK_BOOTTIME
  boot_end_ns   INTEGER NOT NULL,
  mono_begin_ns INTEGER NOT NULL,  -- CLOCK_MONOTONIC at the same moment as wall_begin_ns
  key           INTEGER NOT NULL,  -- 1: a key frame, stands alone
  flags         INTEGER NOT NULL,  -- SNAP_* bits
  sockets       INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,  -- of its frame
  tally         TEXT NOT NULL,     -- JSON object: {"tcp": {"ESTAB": 12, ...}, ...}
  costs         TEXT NOT NULL      -- JSON object: durations in us, fds looked at, ...
);

CREATE VIEW tally AS               -- sockets of a snapshot by table and state
  SELECT s.id AS snapshot, p.key AS proto, t.key AS state, t.value AS sockets
  FROM snapshot AS s, json_each(s.tally) AS p, json_each(p.value) AS t;

CREATE TABLE frame (               -- the sockets, compressed
  id        INTEGER PRIMARY KEY,   -- snapshot * 16 + part
  codec     INTEGER NOT NULL,
  raw_bytes INTEGER NOT NULL,
  crc       INTEGER NOT NULL,
  bytes     BLOB NOT NULL
);

CREATE TABLE text (                -- byte strings that frames refer to by number
  id    INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL UNIQUE
);

CREATE TABLE process (             -- processes seen holding a socket
  id             INTEGER PRIMARY KEY,
  host           INTEGER NOT NULL,
  pid            INTEGER NOT NULL,
  start_ticks    INTEGER NOT NULL, -- field 22 of /proc/PID/stat: USER_HZ since boot
  ppid           INTEGER,
  uid            INTEGER,
  comm           TEXT NOT NULL,
  exe            TEXT,
  cmdline        TEXT,             -- NULL unless asked for
  cgroup         TEXT,
  container      TEXT,
  first_snapshot INTEGER NOT NULL,
  last_snapshot  INTEGER           -- NULL: still there in the last snapshot
);

CREATE TABLE netns (
  id    INTEGER PRIMARY KEY,
  inode INTEGER NOT NULL,
  host  INTEGER NOT NULL,
  name  TEXT                       -- of /run/netns or its container, NULL if none
);

CREATE TABLE interface (           -- key columns first: SQLite 3.40's integrity_check errs otherwise
  netns          INTEGER NOT NULL,
  ifindex        INTEGER NOT NULL,
  first_snapshot INTEGER NOT NULL, -- from which on it had this name
  name           TEXT    NOT NULL,
  PRIMARY KEY (netns, ifindex, first_snapshot)
) WITHOUT ROWID;

CREATE TABLE counter (             -- host counters by name: Tcp.ActiveOpens, ...
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE counter_value (       -- all at a key frame, else those that changed
  snapshot INTEGER NOT NULL,
  netns    INTEGER NOT NULL,
  counter  INTEGER NOT NULL REFERENCES counter(id),
  value    INTEGER NOT NULL,
  PRIMARY KEY (snapshot, netns, counter)
) WITHOUT ROWID;

CREATE TABLE event (
  id      INTEGER PRIMARY KEY,
  wall_ns INTEGER NOT NULL,
  kind    TEXT NOT NULL,           -- start, stop, gap, note, set-aside, ...
  text    TEXT NOT NULL,           -- of a gap: why
  end_ns  INTEGER,                 -- of a gap: its last moment; else NULL
  count   INTEGER NOT NULL DEFAULT 1 -- of a gap: how many snapshots were not taken
);

CREATE TABLE name (                -- what watched names resolved to
  snapshot INTEGER NOT NULL,
  name     TEXT NOT NULL,          -- as asked: NAME or NAME:PORT
  answer   TEXT NOT NULL,          -- addresses, sorted, separated by a space; '' and error set if none
  error    TEXT,
  PRIMARY KEY (snapshot, name)
) WITHOUT ROWID;
