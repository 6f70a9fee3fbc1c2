-- filter.sql - the rows that tests/cases/filter.txt is asked of: one of most kinds of sockets.
-- NULL is what the kernel did not send or nobody knows. `n` is the number that the cases name.

CREATE TABLE socket (
  n INTEGER PRIMARY KEY, proto, family, state, local, local_port, peer, peer_port,
  recvq, sendq, timer, retrans, backoff, rtt_us, cwnd, uid, inode, cookie,
  pid, comm, exe, cmdline, cgroup, container, owner_source, host, netns, netns_name, ifindex, dev, mark,
  holders);

INSERT INTO socket (n, proto, family, state, local, local_port, peer, peer_port) VALUES
  ( 1, 'tcp',      2, 'LISTEN',         '0.0.0.0',                     22, '0.0.0.0',                      0),
  ( 2, 'tcp',      2, 'ESTAB',          '10.0.0.5',                    22, '10.1.2.3',                 51000),
  ( 3, 'tcp',      2, 'ESTAB',          '10.0.0.5',                 43210, '10.9.9.9',                  9200),
  ( 4, 'tcp',      2, 'SYN-SENT',       '10.0.0.5',                 43222, '192.168.7.7',               9200),
  ( 5, 'tcp',      2, 'CLOSE-WAIT',     '10.0.0.5',                 50100, '10.9.9.10',                50010),
  ( 6, 'tcp',      2, 'TIME-WAIT',      '10.0.0.5',                 40000, '10.9.9.9',                   443),
  ( 7, 'tcp',     10, 'LISTEN',         '::',                          80, '::',                           0),
  ( 8, 'tcp',     10, 'ESTAB',          '::ffff:10.0.0.5',             80, '::ffff:10.1.2.3',          52000),
  ( 9, 'tcp',     10, 'ESTAB',          '2001:db8::5',              55000, '2001:db8:1::9',              443),
  (10, 'tcp',     10, 'FIN-WAIT-2',     'fe80::1',                  33000, 'fe80::2',                     22),
  (11, 'tcp',      2, 'SYN-RECV',       '10.0.0.5',                    80, '203.0.113.9',               1025),
  (12, 'udp',      2, 'UNCONN',         '127.0.0.53',                  53, '0.0.0.0',                      0),
  (13, 'udp',     10, 'UNCONN',         '::',                        5353, '::',                           0),
  (14, 'udp',      2, 'ESTAB',          '10.0.0.5',                 45000, '10.0.0.1',                   123),
  (15, 'unix',     1, 'LISTEN',         '/run/dbus/system_bus_socket', 15, '',                             0),
  (16, 'unix',     1, 'ESTAB',          '',                            16, '/run/dbus/system_bus_socket', 15),
  (17, 'unix',     1, 'UNCONN',         '@0001a',                      17, '',                             0),
  (18, 'unix',     1, 'ESTAB',          '/tmp/.X11-unix/X0',           22, '',                            80),
  (19, 'packet',  17, 'UNCONN',         'arp',                          2, '',                             0),
  (20, 'netlink', 16, 'UNCONN',         'rtnl',                      1234, '',                             0),
  (21, 'netlink', 16, 'UNCONN',         'rtnl',                         0, '',                             0),
  (22, 'vsock',   40, 'ESTAB',          '3',                         1024, '2',                         5000),
  (23, 'raw',      2, 'UNCONN',         '0.0.0.0',                      1, '0.0.0.0',                      0),
  (24, 'tcp',      2, 'LAST-ACK',       '10.0.0.5',                 50200, '10.9.9.10',                50010),
  (25, 'tcp',      2, 'CLOSING',        '172.16.0.1',                8080, '172.16.255.1',              6000),
  (26, 'tcp',      2, 'FIN-WAIT-1',     '172.16.0.1',                8080, '172.17.0.1',                6001),
  (27, 'tcp',      2, 'BOUND-INACTIVE', '127.0.0.1',                 7000, '0.0.0.0',                      0),
  (28, 'netlink', 16, 'UNCONN',         'genl',                4294963200, '',                             0);

UPDATE socket SET host = 'alpha', netns = 4026531840, ifindex = 0, dev = '', inode = 1000 + n,
  cookie = 4096 + n, uid = 0, recvq = 0, sendq = 0, timer = '', owner_source = 'fd';
UPDATE socket SET inode = 0, owner_source = NULL WHERE n IN (6, 10, 11, 21, 24, 25, 26);

UPDATE socket SET pid = 700, comm = 'sshd', exe = '/usr/sbin/sshd', cgroup = '/system.slice/ssh.service',
  sendq = 128 WHERE n = 1;
UPDATE socket SET pid = 1200, comm = 'sshd', exe = '/usr/sbin/sshd', rtt_us = 12000, cwnd = 10, retrans = 0,
  backoff = 0, timer = 'keepalive', cgroup = '/user.slice/session-3.scope' WHERE n = 2;
UPDATE socket SET pid = 3000, comm = 'java', exe = '/usr/lib/jvm/bin/java', uid = 1001, netns = 4026532700, netns_name = 'pod7',
  cmdline = 'java -jar "search engine.jar" --port=8080', container = '3f2a77c0ffee',
  cgroup = '/kubepods/pod7/3f2a77c0ffee' WHERE n IN (3, 4);
UPDATE socket SET rtt_us = 800, cwnd = 10, sendq = 70000, timer = 'on', retrans = 3, backoff = 3, mark = 0x13
  WHERE n = 3;
UPDATE socket SET timer = 'on', retrans = 5, backoff = 5, sendq = 1, rtt_us = 0, cwnd = 1 WHERE n = 4;
UPDATE socket SET pid = 4100, comm = 'DataXceiver (x)', uid = 1002, recvq = 65536, rtt_us = 250000, cwnd = 2,
  retrans = 0, backoff = 0 WHERE n = 5;
UPDATE socket SET pid = 801, comm = 'nginx', owner_source = 'history', timer = 'timewait' WHERE n = 6;
UPDATE socket SET pid = 800, comm = 'nginx', exe = '/usr/sbin/nginx', uid = 33, sendq = 511 WHERE n = 7;
UPDATE socket SET pid = 801, comm = 'nginx: worker', exe = '/usr/sbin/nginx', uid = 33, rtt_us = 40000,
  cwnd = 20, retrans = 0, backoff = 0, recvq = 1536 WHERE n = 8;
UPDATE socket SET pid = 5000, comm = 'curl', host = 'beta', ifindex = 2, dev = 'eth0', mark = 1,
  rtt_us = 20000, cwnd = 14, cookie = -1 WHERE n = 9;
UPDATE socket SET ifindex = 2, dev = 'eth0', timer = 'keepalive' WHERE n = 10;
UPDATE socket SET pid = 800, comm = 'nginx', owner_source = 'listener', timer = 'on', retrans = 1 WHERE n = 11;
UPDATE socket SET pid = 500, comm = 'systemd-resolve', uid = 101, ifindex = 1, dev = 'lo' WHERE n = 12;
UPDATE socket SET pid = 600, comm = 'avahi-daemon', uid = NULL WHERE n = 13;
UPDATE socket SET owner_source = 'cgroup', cgroup = '/system.slice/chrony.service' WHERE n = 14;
UPDATE socket SET pid = 900, comm = 'Xorg' WHERE n = 18;
UPDATE socket SET pid = 950, comm = 'tcpdump', ifindex = 2, dev = 'eth0' WHERE n = 19;
UPDATE socket SET timer = 'persist', sendq = 4096 WHERE n = 24;

CREATE TABLE spell (
  n INTEGER PRIMARY KEY, proto, family, state, local, local_port, peer, peer_port, uid, inode, cookie,
  pid, comm, exe, cmdline, container, owner_source, host, netns, netns_name, cgroup, at_least_ms, at_most_ms,
  open, age_most_ms, holders);

INSERT INTO spell (n, proto, family, state, local, local_port, peer, peer_port, comm, at_least_ms, at_most_ms,
  open, age_most_ms) VALUES
  (1, 'tcp', 2, 'CLOSE-WAIT', '10.0.0.5', 50100, '10.9.9.10', 50010, 'java', 3600000, 3660000, 0, 3610000),
  (2, 'tcp', 2, 'CLOSE-WAIT', '10.0.0.5', 50101, '10.9.9.10', 50010, 'java',  240000,  360000, 0,  300000),
  (3, 'tcp', 2, 'ESTAB',      '10.0.0.5', 50102, '10.9.9.10', 50010, 'java',  240000,    NULL, 1,  250000),
  (4, 'tcp', 2, 'TIME-WAIT',  '10.0.0.5', 50103, '10.9.9.10', 50010, 'curl',   59900,   60000, 0,   60000),
  (5, 'udp', 2, 'UNCONN',     '10.0.0.5',    53, '0.0.0.0',       0, 'named',      0,     500, 0,     100);
UPDATE spell SET cgroup = '/system.slice/named.service' WHERE n = 5;
UPDATE spell SET holders = CAST('77' || char(0) || 'helper' || char(0, 0, 0, 0) AS BLOB) WHERE n = 4;

-- A second and a third process hold the listener of nginx, too.
UPDATE socket SET holders = CAST(
  '88' || char(0) || 'zz-helper' || char(0) || '/opt/helper' || char(0) || char(0) || 'beef01' || char(0) ||
  '89' || char(0) || 'zz-other' || char(0) || char(0) || 'zz -x' || char(0) || char(0) AS BLOB) WHERE n = 7;
