/* db_func.c - see db_func.h. */
#include "db_func.h"

#include <stdio.h>
#include <string.h>

#include "rec.h"
#include "timeparse.h"

void flags_text(uint32_t flags, char *ret_text, size_t size)
{
	size_t len = 0;
	ret_text[0] = 0;
	for (uint32_t bit = 1; bit; bit <<= 1) {
		char number[16];
		if (!(flags & bit) || len >= size)
			continue;
		snprintf(number, sizeof(number), "0x%x", bit);
		const char *name = rec_flag_name(bit);
		len += (size_t)snprintf(ret_text + len, size - len, "%s%s", len ? "," : "",
					name ? name : number);
	}
}

static void snapshot_flags(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[512];
	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	flags_text((uint32_t)sqlite3_value_int64(argv[0]), text, sizeof(text));
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

static void time_text(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[TIME_TEXT_BYTES];
	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	time_format(sqlite3_value_int64(argv[0]), text);
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

static void duration_text(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	char text[TIME_TEXT_BYTES];
	(void)argc;
	double ms = sqlite3_value_double(argv[0]);
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL || !(ms > -9e12 && ms < 9e12))
		return;
	duration_format((int64_t)(ms * 1e6), text);
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

int db_func_register(sqlite3 *db)
{
	static const struct {
		const char *name;
		void (*run)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{"snapshot_flags", snapshot_flags},
		{"time_text", time_text},
		{"duration_text", duration_text},
	};
	int rc = SQLITE_OK;
	for (size_t i = 0; rc == SQLITE_OK && i < sizeof(functions) / sizeof(functions[0]); i++)
		rc = sqlite3_create_function_v2(db, functions[i].name, 1,
						SQLITE_UTF8 | SQLITE_INNOCUOUS |
							SQLITE_DETERMINISTIC,
						NULL, functions[i].run, NULL, NULL, NULL);
	return rc;
}
