/* test_names.c - watched names: answers when they come, and never a wait for those that do not. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "names.h"

#define S UINT64_C(1000000000)

Test(names, what_is_taken)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
	} cases[] = {
		{"kafka.example:9200", "kafka.example"},
		{"kafka", "kafka"},
		{"a_b-c.d.", "a_b-c.d."},
		{"10.0.0.1", "10.0.0.1"},
		{"x:1", "x"},
		{"x:65535", "x"},
		{"x:65536", NULL},
		{"x:0", NULL},
		{"x:", NULL},
		{"x:http", NULL},
		{"x:1:2", NULL},
		{"x:999999", NULL},
		{"", NULL},
		{":80", NULL},
		{"-x", NULL},
		{".x", NULL},
		{"a b", NULL},
		{"a/b", NULL},
		{"a\nb", NULL},
		{"::1", NULL},
	};
	char host[NAMES_HOST_MAX];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(names_parse(cases[i].text, host), cases[i].host != NULL, "%s",
			     cases[i].text);
		if (cases[i].host)
			cr_assert_str_eq(host, cases[i].host);
	}
	char text[NAMES_HOST_MAX + 2];
	memset(text, 'a', sizeof(text));
	text[NAMES_HOST_MAX] = '\0';
	cr_assert(!names_parse(text, host), "too long");
	text[NAMES_HOST_MAX - 1] = '\0';
	cr_assert(names_parse(text, host));
}

/* A resolver that answers when it is let, and counts. */
struct server {
	atomic_int asked, answered, let;
	atomic_bool broken;
};

static void serve(void *ctx, const char *host, struct buf *answer, struct buf *error)
{
	struct server *s = ctx;
	int number = atomic_fetch_add(&s->asked, 1) + 1;
	while (atomic_load(&s->let) < number)
		usleep(200);
	if (atomic_load(&s->broken))
		buf_put_str(error, "broken");
	else
		buf_printf(answer, "10.0.0.%d %s", number, host);
	atomic_fetch_add(&s->answered, 1);
}

static void wait_until(atomic_int *what, int value)
{
	for (int i = 0; i < 50000 && atomic_load(what) < value; i++)
		usleep(200);
	cr_assert_eq(atomic_load(what), value);
	usleep(2000); /* from there it is a moment until the question says that it is done */
}

struct taken {
	int count, fail;
	char text[400];
};

static int take(void *ctx, const char *name, const char *answer, const char *error, struct err *e)
{
	struct taken *t = ctx;
	if (t->fail)
		return err_set(e, ERR_FULL, "full");
	t->count++;
	snprintf(t->text, sizeof(t->text), "%s=%s%s%s", name, answer, error ? "!" : "",
		 error ? error : "");
	return 0;
}

static struct names *open_names(const char *const *texts, size_t count, struct server *s)
{
	struct names *n = NULL;
	cr_assert_eq(names_new(texts, count, 5 * S, serve, s, &n, NULL), 0);
	return n;
}

static const char *const one[] = {"a:1"};

Test(names, an_answer_is_told_once_and_on_request)
{
	struct server s = {0};
	struct taken t = {0};
	struct names *n = open_names(one, 1, &s);
	names_ask(n, S);
	cr_assert(names_wait_for(n, S));
	cr_assert_eq(names_take(n, S, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 0);
	atomic_store(&s.let, 1);
	wait_until(&s.answered, 1);
	cr_assert(!names_wait_for(n, S));
	t.fail = 1;
	cr_assert_eq(names_take(n, S, false, take, &t, NULL), ERR_FULL);
	t.fail = 0;
	cr_assert_eq(names_take(n, S, false, take, &t, NULL), 0);
	cr_assert_str_eq(t.text, "a:1=10.0.0.1 a");
	cr_assert_eq(names_take(n, S, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 1);
	cr_assert_eq(names_take(n, S, true, take, &t, NULL), 0);
	cr_assert_eq(t.count, 2, "a new file wants it too");
	names_free(n);
}

Test(names, one_thread_a_name_and_not_too_often)
{
	struct server s = {0};
	struct taken t = {0};
	struct names *n = open_names(one, 1, &s);
	for (uint64_t now = S; now < 100 * S; now += S)
		names_ask(n, now);
	wait_until(&s.asked, 1);
	atomic_store(&s.let, 9);
	wait_until(&s.answered, 1);
	cr_assert_eq(names_take(n, 100 * S, false, take, &t, NULL), 0);
	names_ask(n, 100 * S);
	wait_until(&s.answered, 2);
	cr_assert_eq(names_take(n, 100 * S, false, take, &t, NULL), 0);
	names_ask(n, 100 * S + NAMES_EVERY_NS - 1);
	usleep(5000);
	cr_assert_eq(atomic_load(&s.asked), 2, "not too often");
	names_ask(n, 100 * S + NAMES_EVERY_NS);
	wait_until(&s.asked, 3);
	wait_until(&s.answered, 3);
	names_free(n);
}

Test(names, a_dead_server_is_told_of_once)
{
	struct server s = {0};
	struct taken t = {0};
	struct names *n = open_names(one, 1, &s);
	names_ask(n, S);
	cr_assert(names_wait_for(n, 6 * S - 1));
	cr_assert_eq(names_take(n, 6 * S - 1, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 0);
	cr_assert(!names_wait_for(n, 6 * S), "it has had its time");
	cr_assert_eq(names_take(n, 6 * S, false, take, &t, NULL), 0);
	cr_assert_str_eq(t.text, "a:1=!no answer within 5 s");
	cr_assert_eq(names_take(n, 7 * S, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 1);
	/* That it fails at last is no news. */
	atomic_store(&s.broken, true);
	atomic_store(&s.let, 1);
	wait_until(&s.answered, 1);
	cr_assert_eq(names_take(n, 8 * S, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 1);
	/* An answer that comes late is. */
	atomic_store(&s.broken, false);
	names_ask(n, 20 * S);
	wait_until(&s.asked, 2);
	cr_assert_eq(names_take(n, 26 * S, false, take, &t, NULL), 0);
	cr_assert_eq(t.count, 2);
	atomic_store(&s.let, 2);
	wait_until(&s.answered, 2);
	cr_assert_eq(names_take(n, 27 * S, false, take, &t, NULL), 0);
	cr_assert_str_eq(t.text, "a:1=10.0.0.2 a");
	names_free(n);
}

Test(names, nobody_waits_for_those_who_hang)
{
	static const char *const three[] = {"a", "b", "c"};
	static struct server s; /* outlives the names */
	struct names *n = open_names(three, 3, &s);
	names_ask(n, S);
	wait_until(&s.asked, 3);
	names_free(n);
	atomic_store(&s.let, 3);
	wait_until(&s.answered, 3);
	cr_assert(!names_wait_for(NULL, S));
	names_ask(NULL, S);
	cr_assert_eq(names_take(NULL, S, true, take, NULL, NULL), 0);
	names_free(NULL);
}

Test(names, a_wrong_one)
{
	static const char *const wrong[] = {"a", "b c"};
	struct names *n;
	struct err e = {0};
	cr_assert_eq(names_new(wrong, 2, S, serve, NULL, &n, &e), ERR_USAGE);
	cr_assert_str_eq(e.text, "b c: not NAME or NAME:PORT");
}

Test(names, the_system_sorts_and_says_why_not)
{
	struct buf answer = {0}, error = {0};
	names_system(NULL, "10.1.2.3", &answer, &error);
	cr_assert_str_eq(buf_str(&answer), "10.1.2.3");
	cr_assert_eq(error.len, 0);
	buf_clear(&answer);
	names_system(NULL, "256.1.2.3.4.", &answer, &error);
	cr_assert_eq(answer.len, 0);
	cr_assert_gt(error.len, 0);
	buf_fini(&answer);
	buf_fini(&error);
}
