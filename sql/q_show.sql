-- Which sockets were there in one snapshot, and who holds them, held them or listens for them?
--
-- Parameters  :snapshot  number in the history
--             In place of FILTER between the comment marks stands what a filter became.
-- Columns     those of table socket; what is measured carries its unit in its name.
SELECT snapshot, time_ns AS time, host, netns, netns_name, cookie, proto, family, state, recvq, sendq,
       local, local_port, peer, peer_port, dev, timer, timer_ms, retrans, uid, inode, v6only, sock_type, link_proto,
       pid, comm, fd, users, owner_source
  FROM socket
 WHERE snapshot = :snapshot AND /*FILTER*/ 1;
