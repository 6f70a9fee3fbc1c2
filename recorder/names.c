/* names.c - see names.h. */
#include "names.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C library's resolver and the modules of nsswitch.conf run on it. */
#define STACK_BYTES (512 * 1024)

/* A question under way. Its thread and the names hold it; the last one frees it. */
struct question {
	atomic_int holders;
	atomic_bool done; /* `answer` and `error` may be read */
	names_lookup lookup;
	void *ctx;
	char host[NAMES_HOST_MAX];
	struct buf answer, error;
};

struct watched {
	const char *text; /* as it was asked for */
	char host[NAMES_HOST_MAX];
	struct question *question; /* NULL: none under way */
	uint64_t asked_ns;	   /* 0: never */
	bool told_late;		   /* of this question */
	bool known;		   /* `answer` and `error` are what is known */
	bool untold;		   /* and nobody has taken it yet */
	struct buf answer, error;
};

struct names {
	struct watched *watched;
	size_t count;
	uint64_t patience_ns;
	names_lookup lookup;
	void *ctx;
	char late[48]; /* what is told of a name that has not been answered */
};

/* ------------------------------------------------------------------------------------ names */

static bool is_port(const char *text)
{
	unsigned long port = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits])
		return false;
	port = strtoul(text, NULL, 10);
	return port >= 1 && port <= UINT16_MAX;
}

bool names_parse(const char *text, char ret_host[NAMES_HOST_MAX])
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t len = strspn(text, chars);
	if (len == 0 || len >= NAMES_HOST_MAX || text[0] == '-' || text[0] == '.')
		return false;
	if (text[len] && (text[len] != ':' || !is_port(text + len + 1)))
		return false;
	memcpy(ret_host, text, len);
	ret_host[len] = '\0';
	return true;
}

/* -------------------------------------------------------------------------------- questions */

static void question_release(struct question *q)
{
	if (!q || atomic_fetch_sub(&q->holders, 1) > 1)
		return;
	buf_fini(&q->answer);
	buf_fini(&q->error);
	free(q);
}

static void *question_run(void *arg)
{
	struct question *q = arg;
	q->lookup(q->ctx, q->host, &q->answer, &q->error);
	atomic_store(&q->done, true);
	question_release(q);
	return NULL;
}

static int start_thread(struct question *q)
{
	pthread_attr_t attr;
	pthread_t thread;
	if (pthread_attr_init(&attr))
		return -1;
	int rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!rc)
		rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!rc)
		rc = pthread_create(&thread, &attr, question_run, q);
	pthread_attr_destroy(&attr);
	return rc ? -1 : 0;
}

/* If there is no thread to be had now, the next snapshot tries again. */
static void ask(const struct names *n, struct watched *w, uint64_t now_ns)
{
	struct question *q = calloc(1, sizeof(*q));
	if (!q)
		return;
	atomic_init(&q->holders, 2);
	atomic_init(&q->done, false);
	q->lookup = n->lookup;
	q->ctx = n->ctx;
	memcpy(q->host, w->host, sizeof(q->host));
	if (start_thread(q)) {
		free(q);
		return;
	}
	w->question = q;
	w->asked_ns = now_ns;
	w->told_late = false;
}

void names_ask(struct names *n, uint64_t now_ns)
{
	for (size_t i = 0; n && i < n->count; i++) {
		struct watched *w = &n->watched[i];
		if (!w->question && (!w->asked_ns || now_ns - w->asked_ns >= NAMES_EVERY_NS))
			ask(n, w, now_ns);
	}
}

/* ---------------------------------------------------------------------------------- answers */

static bool is_late(const struct names *n, const struct watched *w, uint64_t now_ns)
{
	return now_ns - w->asked_ns >= n->patience_ns;
}

bool names_wait_for(const struct names *n, uint64_t now_ns)
{
	for (size_t i = 0; n && i < n->count; i++) {
		const struct watched *w = &n->watched[i];
		if (w->question && !atomic_load(&w->question->done) && !is_late(n, w, now_ns))
			return true;
	}
	return false;
}

static void keep(struct buf *to, const char *text)
{
	buf_clear(to);
	buf_put_str(to, text);
}

static void learn(struct watched *w, const char *answer, const char *error)
{
	keep(&w->answer, answer);
	keep(&w->error, error);
	w->known = w->untold = true;
}

/*
 * Whatever the question under way has come to. That it failed after all is no news if it was
 * told to be late: a dead name server would else make two rows of every question.
 */
static void look(const struct names *n, struct watched *w, uint64_t now_ns)
{
	struct question *q = w->question;
	if (q && atomic_load(&q->done)) {
		if (!w->told_late || !q->error.len)
			learn(w, buf_str(&q->answer), buf_str(&q->error));
		question_release(q);
		w->question = NULL;
	} else if (q && !w->told_late && is_late(n, w, now_ns)) {
		w->told_late = true;
		learn(w, "", n->late);
	}
}

int names_take(struct names *n, uint64_t now_ns, bool again, names_fn fn, void *ctx, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; n && i < n->count && !rc; i++) {
		struct watched *w = &n->watched[i];
		look(n, w, now_ns);
		if (w->answer.failed || w->error.failed)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (!w->known || (!w->untold && !again))
			continue;
		rc = fn(ctx, w->text, buf_str(&w->answer), w->error.len ? buf_str(&w->error) : NULL,
			e);
		w->untold = rc != 0;
	}
	return rc;
}

/* ------------------------------------------------------------------------- opening, closing */

int names_new(const char *const *texts, size_t count, uint64_t patience_ns, names_lookup lookup,
	      void *ctx, struct names **ret, struct err *e)
{
	struct names *n = calloc(1, sizeof(*n));
	if (n)
		n->watched = calloc(count ? count : 1, sizeof(*n->watched));
	if (!n || !n->watched) {
		names_free(n);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	n->count = count;
	n->patience_ns = patience_ns;
	n->lookup = lookup;
	n->ctx = ctx;
	snprintf(n->late, sizeof(n->late), "no answer within %g s", (double)patience_ns / 1e9);
	for (size_t i = 0; i < count; i++) {
		n->watched[i].text = texts[i];
		if (!names_parse(texts[i], n->watched[i].host)) {
			names_free(n);
			return err_set(e, ERR_USAGE, "%.64s: not NAME or NAME:PORT", texts[i]);
		}
	}
	*ret = n;
	return 0;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; n->watched && i < n->count; i++) {
		question_release(n->watched[i].question);
		buf_fini(&n->watched[i].answer);
		buf_fini(&n->watched[i].error);
	}
	free(n->watched);
	free(n);
}
