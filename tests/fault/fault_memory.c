/* fault_memory.c - memory that runs out: our own allocations, SQLite's, zlib's and libnl's. */
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fault.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
struct nl_msg *__real_nlmsg_alloc_simple(int type, int flags);
struct nl_sock *__real_nl_socket_alloc(void);
int __real_deflateInit2_(z_streamp z, int level, int method, int bits, int memory, int strategy,
			 const char *version, int size);
int __real_inflateInit2_(z_streamp z, int bits, const char *version, int size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
struct nl_msg *__wrap_nlmsg_alloc_simple(int type, int flags);
struct nl_sock *__wrap_nl_socket_alloc(void);
int __wrap_deflateInit2_(z_streamp z, int level, int method, int bits, int memory, int strategy,
			 const char *version, int size);
int __wrap_inflateInit2_(z_streamp z, int bits, const char *version, int size);

/* Two threads ask: the walk of /proc and the dumps. */
static bool runs_out(void)
{
	if (__atomic_load_n(&fault.alloc_left, __ATOMIC_RELAXED) < 0)
		return false;
	long left = __atomic_fetch_sub(&fault.alloc_left, 1, __ATOMIC_RELAXED);
	if (left > 0)
		return false;
	if (!fault.alloc_once) /* stays so */
		__atomic_store_n(&fault.alloc_left, 0, __ATOMIC_RELAXED);
	fault.fired = true;
	return left == 0 || !fault.alloc_once;
}

void *__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return runs_out() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
	return runs_out() ? NULL : __real_strdup(s);
}

struct nl_msg *__wrap_nlmsg_alloc_simple(int type, int flags)
{
	return runs_out() ? NULL : __real_nlmsg_alloc_simple(type, flags);
}

struct nl_sock *__wrap_nl_socket_alloc(void)
{
	return runs_out() ? NULL : __real_nl_socket_alloc();
}

int __wrap_deflateInit2_(z_streamp z, int level, int method, int bits, int memory, int strategy,
			 const char *version, int size)
{
	return runs_out() ? Z_MEM_ERROR
			  : __real_deflateInit2_(z, level, method, bits, memory, strategy, version,
						 size);
}

int __wrap_inflateInit2_(z_streamp z, int bits, const char *version, int size)
{
	return runs_out() ? Z_MEM_ERROR : __real_inflateInit2_(z, bits, version, size);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
	return runs_out() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size)
{
	return runs_out() ? NULL : sqlite_memory.xRealloc(p, size);
}

void fault_memory_init(void)
{
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
	sqlite3_mem_methods mine = sqlite_memory;
	mine.xMalloc = sqlite_malloc;
	mine.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}
