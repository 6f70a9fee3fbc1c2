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
  tally         TEXT NOT NULL,     -- JSON object: sockets by table number * 16 + state number
  costs         TEXT NOT NULL,     -- JSON array: element n is of the row n + 1 of cost_name
  problems      INTEGER            -- row of table text: a JSON array of texts; NULL: none
);

CREATE TABLE cost_name (           -- durations in us, fds looked at, ...
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE VIEW cost AS                -- what a snapshot cost
  SELECT s.id AS snapshot, n.name, c.value
  FROM snapshot AS s, json_each(s.costs) AS c JOIN cost_name AS n ON n.id = c.key + 1;

CREATE VIEW problem AS             -- what went wrong on the way
  SELECT s.id AS snapshot, p.value AS problem
  FROM snapshot AS s JOIN text AS t ON t.id = s.problems, json_each(CAST(t.bytes AS TEXT)) AS p;

CREATE VIEW tally AS               -- sockets of a snapshot by table and state
  SELECT s.id AS snapshot,
         json_extract('["","tcp","udp","udplite","raw","mptcp","sctp","dccp","unix","packet",'
                      || '"netlink","vsock","xdp","tipc"]', '$[' || (t.key / 16) || ']') AS proto,
         json_extract('["?","ESTAB","SYN-SENT","SYN-RECV","FIN-WAIT-1","FIN-WAIT-2","TIME-WAIT",'
                      || '"UNCONN","CLOSE-WAIT","LAST-ACK","LISTEN","CLOSING","NEW-SYN-RECV",'
                      || '"BOUND-INACTIVE"]', '$[' || (t.key % 16) || ']') AS state,
         t.value AS sockets
  FROM snapshot AS s, json_each(s.tally) AS t;

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
  name  TEXT,                      -- of /run/netns or its container, NULL if none
  cookie INTEGER                   -- of the kernel, NULL before Linux 5.14; inodes are used again
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

CREATE TABLE counter_change (      -- one row a snapshot and namespace where any changed
  snapshot INTEGER NOT NULL,
  netns    INTEGER NOT NULL,
  changes  TEXT NOT NULL,          -- JSON object: by row of counter, its value at a key frame, else
                                   -- how much more it is than before
  PRIMARY KEY (snapshot, netns)
) WITHOUT ROWID;

CREATE VIEW counter_value AS       -- all at a key frame, else those that changed
  WITH change AS (
    SELECT c.snapshot, c.netns, CAST(j.key AS INTEGER) AS counter, j.value AS change,
           (SELECT k.id FROM snapshot AS k WHERE k.key AND k.id <= c.snapshot
             ORDER BY k.id DESC LIMIT 1) AS chain
    FROM counter_change AS c, json_each(c.changes) AS j)
  SELECT snapshot, netns, counter,
         sum(change) OVER (PARTITION BY chain, netns, counter ORDER BY snapshot) AS value
  FROM change;

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
