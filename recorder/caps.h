/* caps.h - gives up what the recorder must not be able to do. */
#ifndef SOCKLAPSE_CAPS_H
#define SOCKLAPSE_CAPS_H

#include <stdbool.h>

#include "err.h"

/*
 * Leaves the calling thread nothing but what looking needs, and sets no_new_privs:
 *
 *   CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH   other users' /proc/PID
 *   CAP_DAC_OVERRIDE                      root writing into a directory of another user
 *   CAP_SYS_ADMIN                         other network namespaces; only if `keep_sys_admin`, and
 *                                         in use only within caps_use_sys_admin()
 *   CAP_NET_ADMIN                         marks of sockets; only if `keep_net_admin`
 *
 * Over a sock_diag socket a process with CAP_NET_ADMIN can destroy any socket of the host
 * (SOCK_DESTROY); without it the kernel tells the same rows but for their marks (EVIDENCE section
 * 5). To be called before any other thread exists and any socket is open. ERR_PERM: something is
 * there and cannot be given up.
 */
int caps_drop(bool keep_net_admin, bool keep_sys_admin, struct err *e) MUST_CHECK;

/* May this process look into other users' processes (CAP_SYS_PTRACE)? */
bool caps_sees_all(void);

/* Takes CAP_SYS_ADMIN into use in the calling thread, or out of it. False: it is not there. */
bool caps_use_sys_admin(bool use);

/* Gives CAP_SYS_ADMIN up for good. */
void caps_forget_sys_admin(void);

#endif
