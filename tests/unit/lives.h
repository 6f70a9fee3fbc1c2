/*
 * lives.h - histories whose truth is known: connections that go through states at random times, and
 * recordings of them, made through the writer at any cadence, cut into any files. Like the
 * kernel's, the dumps take time: each row shows the state at its own moment.
 */
#ifndef TESTS_LIVES_H
#define TESTS_LIVES_H

#include <stdint.h>

#include "rec_write.h"

#define LIFE_MAX_STATES 6

/* State i lasts from at_ns[i] to at_ns[i + 1], CLOCK_BOOTTIME. */
struct life {
	struct row_member id;
	unsigned states;
	uint8_t state[LIFE_MAX_STATES];
	int64_t at_ns[LIFE_MAX_STATES + 1];
	uint32_t process; /* holds it in its first state; 0: nobody */
	uint32_t heir;	  /* and from heir_from_ns on; 0: it does not change hands */
	int64_t heir_from_ns;
	/* Its closed socket is held in this time, and told of beside it; 0: it is not. */
	int64_t shell_from_ns, shell_to_ns;
};

struct lives {
	struct life *all;
	unsigned count;
	uint64_t seed;
	int64_t begin_ns, end_ns; /* all states begin in here */
};

/* What is recorded of them, and how. */
struct take {
	const char *dir;
	const char *boot_id;		     /* NULL: "boot-1" */
	int64_t wall_offset_ns;		     /* wall - boottime */
	int64_t first_ns, last_ns, every_ns; /* moments of the snapshots */
	int64_t dump_ns;		     /* how long a dump takes */
	uint32_t key_every;
	unsigned snapshots_per_file; /* 0: all in one */
	unsigned miss_per_mille;     /* sockets that a dump does not tell of */
	bool twice;		     /* each socket is told of twice in a dump */
	unsigned other_per_mille;    /* snapshots that look elsewhere, and say so: */
	uint32_t other_flag;	     /* SNAP_SOME_TABLES: at UDP; SNAP_NETNS_PART */
	int64_t step_at_ns, step_ns; /* the wall clock is set by step_ns at that moment */
	unsigned first_file;	     /* number in the name of the first file */
};

uint64_t lives_random(uint64_t *seed);

/* `count` connections with two to five states each, between begin_ns and end_ns. */
void lives_init(struct lives *l, uint64_t seed, unsigned count, int64_t begin_ns, int64_t end_ns);
void lives_fini(struct lives *l);

/* Writes recordings into take->dir; returns the number of snapshots. */
unsigned lives_record(const struct lives *l, const struct take *take);

/* The state at a moment; 0: not born yet, or gone. */
unsigned life_state(const struct life *l, int64_t boot_ns);

/* What the wall clock showed. */
int64_t take_wall(const struct take *take, int64_t boot_ns);

/* A new directory, and away with it. */
void lives_dir(char ret[64]);
void lives_remove(const char *dir);

#endif
