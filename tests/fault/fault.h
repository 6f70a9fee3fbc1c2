/*
 * fault.h - what goes wrong under the recorder, on purpose. The linker puts the wrappers of
 * fault_*.c in the place of the functions; without a fault they do what those do.
 *
 * A fault is told as KIND:ARGUMENT[:ARGUMENT]:
 *
 *   alloc:N            the N-th allocation fails, and all later ones
 *   alloc-once:N       only that one
 *   write:ERRNO:N      the N-th change of a file by SQLite fails, and all later ones
 *   write-once:ERRNO:N only that one
 *   kill:N             at the N-th change the process is killed
 *   netlink:CASE       a case of fault_netlink.c
 *   clock:SECONDS      CLOCK_REALTIME is so far ahead (or behind: -SECONDS)
 *   clock-step:SECONDS:N  it is set so from its N-th reading on
 *   boot:ID            the boot id
 */
#ifndef SOCKLAPSE_FAULT_H
#define SOCKLAPSE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct fault {
	long alloc_left; /* calls that do well yet; < 0: all of them */
	bool alloc_once;
	long write_left;
	int write_errno;
	bool write_once;
	bool write_kills;
	const struct netlink_case *netlink;
	int64_t clock_ns;
	long clock_reads; /* readings before the clock is set */
	const char *boot_id;
	bool fired;
};

/* The one that is set. Set before the recorder runs, in a process of its own. */
extern struct fault fault;

/* Reads the description; false: it is none. The text must live on. */
bool fault_set(const char *text);

/* The netlink cases: "NAME FLAGS PROBLEM" lines, flags and problem being what the snapshot says. */
void fault_list_netlink(void);
const struct netlink_case *fault_netlink_case(const char *name);

/* Puts the wrappers of SQLite's memory and files in place; before SQLite is used. */
void fault_files_init(void);
void fault_memory_init(void);

#endif
