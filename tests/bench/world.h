/*
 * world.h - a made-up host: its sockets as the kernel would tell of them, minute by minute.
 *
 * What is in it, of N sockets: pools of connections of a dozen services, which come and go slowly;
 * 27 % of all sockets exchange data each minute, the others are idle; 8 % in TIME-WAIT, each for
 * 60 s; one process that leaks CLOSE-WAITs, up to a tenth of N at the end of the day; listeners,
 * UDP sockets, some SYN-SENT. A host of Linux 6.18 with HZ=250: stamps and timers move in 4 ms,
 * tcp_info has 280 bytes. The same seed gives the same host on every machine.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rec.h"
#include "sock.h"

#define WORLD_STEP_MS 60000u
#define WORLD_TICK_MS 4u

struct conn {
	struct sock_row row; /* as the kernel has it, but for what depends on the moment: */
	uint64_t sent_ms, recv_ms, ack_ms, expiry_ms; /* on the kernel's tick */
	uint64_t place;	  /* where the dump has it: table, then hash bucket */
	uint32_t process; /* index in world.processes + 1; 0: nobody holds it */
	uint32_t fd;
	uint32_t ends; /* the step at which it goes */
	bool active;
	bool leaks; /* goes to CLOSE-WAIT at the next step and stays */
	bool gone;
};

struct world_process {
	struct rec_process about;
	char comm[16];
	char exe[48];
	char cgroup[64];
	uint32_t next_fd;
};

struct world {
	uint64_t random;
	uint32_t sockets; /* how many there should be */
	uint32_t steps;	  /* of a day */
	uint32_t step;
	uint64_t now_ms; /* the kernel's tick at the begin of the present snapshot */
	uint64_t cookie;
	uint32_t inode;
	uint64_t opened, accepted; /* Tcp.ActiveOpens, Tcp.PassiveOpens */
	struct conn **conns;	   /* by place */
	size_t count, cap;
	struct conn **fresh; /* new ones, not yet among them */
	size_t fresh_count, fresh_cap;
	struct conn **spare; /* memory of those that went */
	size_t spare_count, spare_cap;
	struct world_process *processes;
	size_t processes_count;
};

/* The host at step 0. Ends the program if memory runs out. */
void world_init(struct world *w, uint32_t sockets, uint32_t steps, uint64_t seed);
void world_fini(struct world *w);

/* A minute later. */
void world_step(struct world *w);

/* The row of a socket as the kernel tells it at the tick `tick_ms`. */
void world_row(const struct conn *c, uint64_t tick_ms, struct sock_row *ret_row);

#endif
