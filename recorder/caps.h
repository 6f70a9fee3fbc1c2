/* caps.h - gives up what the recorder must not be able to do. */
#ifndef SOCKLAPSE_CAPS_H
#define SOCKLAPSE_CAPS_H

#include <stdbool.h>

#include "err.h"

/*
 * Sets no_new_privs and, unless keep_net_admin, removes CAP_NET_ADMIN from every set of the calling
 * thread, the bounding set too. Over a sock_diag socket a process with that capability can destroy
 * any socket of the host (SOCK_DESTROY); without it the kernel tells the same rows but for their
 * marks (EVIDENCE section 5). To be called before any other thread exists and any socket is open.
 * ERR_PERM: the capability is there and cannot be removed.
 */
int caps_drop(bool keep_net_admin, struct err *e) MUST_CHECK;

/* May this process look into other users' processes (CAP_SYS_PTRACE)? */
bool caps_sees_all(void);

#endif
