/*
 * caps.c - see caps.h. By plain system calls: glibc has no wrappers, and a library for four calls
 * would be one more thing to install.
 */
#include "caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct cap_sets {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int get(struct cap_sets *sets)
{
	sets->head = (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
	return (int)syscall(SYS_capget, &sets->head, sets->data);
}

static int set(struct cap_sets *sets)
{
	return (int)syscall(SYS_capset, &sets->head, sets->data);
}

static bool has(uint64_t caps, int cap)
{
	return caps >> cap & 1;
}

/*
 * Without CAP_SETPCAP the bounding set stays as it is; with no_new_privs and the other sets empty
 * nothing can come back from it. A kernel does not know caps beyond its last one: EINVAL.
 */
static int drop_bounding(uint64_t keep, struct err *e)
{
	for (int cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (there < 0)
			return 0;
		if (there && !has(keep, cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) &&
		    errno != EPERM)
			return err_errno(e, errno, "capability %d: the bounding set", cap);
	}
	return 0;
}

static int drop_others(uint64_t keep, uint64_t keep_in_use, struct err *e)
{
	struct cap_sets sets;
	int rc = drop_bounding(keep, e);
	if (rc)
		return rc;
	/* EINVAL: a kernel without ambient capabilities. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return err_errno(e, errno, "the ambient capabilities");
	if (get(&sets))
		return err_errno(e, errno, "capget");
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets.data[i].effective &= (uint32_t)(keep_in_use >> 32 * i);
		sets.data[i].permitted &= (uint32_t)(keep >> 32 * i);
		sets.data[i].inheritable = 0;
	}
	return set(&sets) ? err_errno(e, errno, "capabilities cannot be given up") : 0;
}

#define BIT(cap) (UINT64_C(1) << (cap))

int caps_drop(bool keep_net_admin, bool keep_sys_admin, struct err *e)
{
	uint64_t keep = BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_DAC_OVERRIDE);
	if (keep_net_admin)
		keep |= BIT(CAP_NET_ADMIN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_errno(e, errno, "no_new_privs");
	return drop_others(keep_sys_admin ? keep | BIT(CAP_SYS_ADMIN) : keep, keep, e);
}

bool caps_sees_all(void)
{
	struct cap_sets sets;
	return get(&sets) == 0 &&
	       (sets.data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE));
}

bool caps_use_sys_admin(bool use)
{
	struct cap_sets sets;
	const uint32_t mask = CAP_TO_MASK(CAP_SYS_ADMIN);
	struct __user_cap_data_struct *d = &sets.data[CAP_TO_INDEX(CAP_SYS_ADMIN)];
	if (get(&sets) || !(d->permitted & mask))
		return false;
	d->effective = use ? d->effective | mask : d->effective & ~mask;
	return set(&sets) == 0;
}

void caps_forget_sys_admin(void)
{
	struct cap_sets sets;
	const uint32_t mask = CAP_TO_MASK(CAP_SYS_ADMIN);
	struct __user_cap_data_struct *d = &sets.data[CAP_TO_INDEX(CAP_SYS_ADMIN)];
	if (get(&sets) || !(d->permitted & mask))
		return;
	d->effective &= ~mask;
	d->permitted &= ~mask;
	set(&sets);
}
