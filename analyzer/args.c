/* args.c - see args.h. */
#include "args.h"

#include <stdlib.h>
#include <string.h>

static const struct arg_option *by_letter(const struct arg_option *const *tables, char letter)
{
	for (; *tables; tables++)
		for (const struct arg_option *o = *tables; o->id; o++)
			if (o->id == letter)
				return o;
	return NULL;
}

static const struct arg_option *by_name(const struct arg_option *const *tables, const char *name,
					size_t len)
{
	for (; *tables; tables++)
		for (const struct arg_option *o = *tables; o->id; o++)
			if (o->name && strlen(o->name) == len && memcmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

/* Is "-..." a word such as -15min? Only if it begins like a number and is no row of letters. */
static bool is_word(const char *text, const struct arg_option *const *tables)
{
	if (text[0] != '-' || !text[1])
		return true;
	if (text[1] < '0' || text[1] > '9')
		return false;
	for (const char *p = text + 1; *p; p++)
		if (!by_letter(tables, *p))
			return true;
	return false;
}

static void add_given(struct args *a, int id, const char *value)
{
	a->given[a->given_count++] = (struct arg){.id = id, .value = value};
}

/* The value of an option that needs one: the rest of the argument or the next one. */
static int take_value(const char *rest, int argc, char **argv, int *at, const char **ret)
{
	if (rest) {
		*ret = rest;
		return 0;
	}
	if (*at + 1 >= argc)
		return ERR_USAGE;
	*ret = argv[++*at];
	return 0;
}

static int read_long(struct args *a, int argc, char **argv, int *at,
		     const struct arg_option *const *tables, struct err *e)
{
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct arg_option *o = by_name(tables, name, len);
	if (!o)
		return err_set(e, ERR_USAGE, "--%.*s: no such option", (int)len, name);
	if (!o->value && equals)
		return err_set(e, ERR_USAGE, "--%s: takes no value", o->name);
	const char *value = NULL;
	if (o->value && take_value(equals ? equals + 1 : NULL, argc, argv, at, &value))
		return err_set(e, ERR_USAGE, "--%s: needs a value: %s", o->name, o->value);
	add_given(a, o->id, value);
	return 0;
}

static int read_letters(struct args *a, int argc, char **argv, int *at,
			const struct arg_option *const *tables, struct err *e)
{
	for (const char *p = argv[*at] + 1; *p; p++) {
		const struct arg_option *o = by_letter(tables, *p);
		const char *value = NULL;
		if (!o)
			return err_set(e, ERR_USAGE, "-%c: no such option", *p);
		if (o->value && take_value(p[1] ? p + 1 : NULL, argc, argv, at, &value))
			return err_set(e, ERR_USAGE, "-%c: needs a value: %s", *p, o->value);
		add_given(a, o->id, value);
		if (o->value)
			break;
	}
	return 0;
}

/* Room for everything that argv can hold: one option for each character at most. */
static int make_room(struct args *a, int argc, char **argv, int at, struct err *e)
{
	size_t most = 1;
	for (int i = at; i < argc; i++)
		most += strlen(argv[i]) + 1;
	struct arg *given = realloc(a->given, (a->given_count + most) * sizeof(*given));
	if (given)
		a->given = given;
	const char **words = realloc(a->words,
				     (a->words_count + (size_t)argc + 1) * sizeof(*words));
	if (words)
		a->words = words;
	return given && words ? 0 : err_set(e, ERR_NOMEM, "arguments: memory ran out");
}

int args_read(struct args *ret, int argc, char **argv, int *at,
	      const struct arg_option *const *tables, bool stop_at_word, struct err *e)
{
	bool only_words = false;
	int rc = make_room(ret, argc, argv, *at, e);
	for (; !rc && *at < argc; ++*at) {
		const char *text = argv[*at];
		if (only_words || is_word(text, tables)) {
			ret->words[ret->words_count++] = text;
			if (stop_at_word) {
				++*at;
				break;
			}
		} else if (strcmp(text, "--") == 0) {
			only_words = true;
		} else if (text[1] == '-') {
			rc = read_long(ret, argc, argv, at, tables, e);
		} else {
			rc = read_letters(ret, argc, argv, at, tables, e);
		}
	}
	return rc;
}

void args_fini(struct args *a)
{
	free(a->given);
	free(a->words);
	*a = (struct args){0};
}

bool args_has(const struct args *a, int id)
{
	for (size_t i = 0; i < a->given_count; i++)
		if (a->given[i].id == id)
			return true;
	return false;
}

const char *args_value(const struct args *a, int id)
{
	const char *value = NULL;
	for (size_t i = 0; i < a->given_count; i++)
		if (a->given[i].id == id)
			value = a->given[i].value;
	return value;
}
