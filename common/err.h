/*
 * err.h - the one error vocabulary.
 *
 * Every function that can fail returns 0 or one of these negative codes and, if it was given a
 * struct err, says in it what went wrong and where. Nobody but main.c and cmd_*.c prints it.
 */
#ifndef SOCKLAPSE_ERR_H
#define SOCKLAPSE_ERR_H

#include <stdbool.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK	       __attribute__((warn_unused_result))
#define NONNULL(...)	       __attribute__((nonnull(__VA_ARGS__)))
#define CLEANUP(fn)	       __attribute__((cleanup(fn)))

enum err_code {
	ERR_NONE = 0,
	ERR_NOMEM = -1,	    /* memory ran out */
	ERR_IO = -2,	    /* reading or writing failed */
	ERR_PERM = -3,	    /* not permitted */
	ERR_NOT_FOUND = -4, /* no such file, snapshot, name */
	ERR_NOT_OURS = -5,  /* the file is not a recording */
	ERR_FUTURE = -6,    /* written by a newer version in a way this one cannot read */
	ERR_CORRUPT = -7,   /* the bytes contradict the format */
	ERR_LIMIT = -8,	    /* a named limit would be passed */
	ERR_BUSY = -9,	    /* somebody else holds the lock */
	ERR_FULL = -10,	    /* no space left */
	ERR_DB = -11,	    /* SQLite failed for another reason */
	ERR_KERNEL = -12,   /* the kernel refused or answered nonsense */
	ERR_USAGE = -13,    /* the user asked for something that makes no sense */
	ERR_TIMEOUT = -14,  /* a deadline passed */
};

/* What went wrong: one line without a newline, "WHERE: WHAT". Zero-initialised it is "no error". */
struct err {
	int code;
	char text[480];
};

/* Fills *e (may be NULL) and returns `code`, so that a caller can `return err_set(...)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "CONTEXT: " in front of what *e says. Returns e's code. Used where the context is known. */
int err_context(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As err_set(), with ": " and the meaning of `errnum`; the code is chosen by errnum. */
int err_errno(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The sentence for a code, for messages that have no better text. Never NULL. */
const char *err_name(int code);

#endif
