/* err.c - see err.h. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	if (!e)
		return code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->code = code;
	return code;
}

int err_context(struct err *e, const char *fmt, ...)
{
	if (!e)
		return ERR_IO;
	char old[sizeof(e->text)];
	memcpy(old, e->text, sizeof(old));
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s",
			 old[0] ? old : err_name(e->code));
	return e->code;
}

static enum err_code code_of_errno(int errnum)
{
	static const struct {
		int errnum;
		enum err_code code;
	} map[] = {
		{ENOMEM, ERR_NOMEM}, {EPERM, ERR_PERM},	       {EACCES, ERR_PERM},
		{EROFS, ERR_PERM},   {ENOENT, ERR_NOT_FOUND},  {ENOSPC, ERR_FULL},
		{EDQUOT, ERR_FULL},  {EAGAIN, ERR_BUSY},       {EBUSY, ERR_BUSY},
		{EFBIG, ERR_LIMIT},  {ETIMEDOUT, ERR_TIMEOUT},
	};
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].errnum == errnum)
			return map[i].code;
	return ERR_IO;
}

int err_errno(struct err *e, int errnum, const char *fmt, ...)
{
	enum err_code code = code_of_errno(errnum);
	if (!e)
		return code;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s", strerror(errnum));
	e->code = code;
	return code;
}

const char *err_name(int code)
{
	static const char *const names[] = {
		"no error",
		"out of memory",
		"read or write failed",
		"not permitted",
		"not found",
		"not a Socklapse recording",
		"written by a newer version",
		"damaged",
		"over a limit",
		"in use",
		"no space left",
		"database error",
		"the kernel refused",
		"wrong usage",
		"took too long",
	};
	unsigned i = code <= 0 ? (unsigned)-code : 0;
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown error";
}
