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

static bool is_in_bounding_set(int cap)
{
	return prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
}

static int drop_net_admin(struct err *e)
{
	struct cap_sets sets;
	const int cap = CAP_NET_ADMIN;
	const uint32_t others = ~CAP_TO_MASK(cap);
	/*
	 * Without CAP_SETPCAP the bounding set stays as it is; with no_new_privs and the
	 * other sets empty nothing can come back from it.
	 */
	if (is_in_bounding_set(cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
		return err_errno(e, errno, "CAP_NET_ADMIN: the bounding set");
	/* EINVAL: a kernel without ambient capabilities. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0) && errno != EINVAL)
		return err_errno(e, errno, "CAP_NET_ADMIN: the ambient set");
	if (get(&sets))
		return err_errno(e, errno, "capget");
	struct __user_cap_data_struct *d = &sets.data[CAP_TO_INDEX(cap)];
	d->effective &= others;
	d->permitted &= others;
	d->inheritable &= others;
	if (syscall(SYS_capset, &sets.head, sets.data))
		return err_errno(e, errno, "CAP_NET_ADMIN cannot be given up");
	return 0;
}

int caps_drop(bool keep_net_admin, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_errno(e, errno, "no_new_privs");
	return keep_net_admin ? 0 : drop_net_admin(e);
}

bool caps_sees_all(void)
{
	struct cap_sets sets;
	return get(&sets) == 0 &&
	       (sets.data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE));
}
