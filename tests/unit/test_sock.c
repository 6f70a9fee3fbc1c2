/* test_sock.c - names of states and tables, text of addresses. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "columns.h"
#include "sock.h"

/* Residuals are computed modulo the column's width: a predictor of another one would go wrong. */
Test(columns, predictors_are_earlier_and_of_the_same_width)
{
	unsigned predicted = 0;
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		if (!c->predictor)
			continue;
		const struct column *p = column_by_id(c->predictor);
		predicted++;
		cr_assert_not_null(p, "%s", c->name);
		cr_assert_lt(p, c, "%s", c->name);
		cr_assert_eq(p->group, c->group, "%s", c->name);
		cr_assert_eq(p->width, c->width, "%s: %s", c->name, p->name);
		cr_assert(p->enc != ENC_ADDR && c->enc != ENC_ADDR, "%s", c->name);
	}
	cr_assert_gt(predicted, 3);
}

Test(sock, every_state_name_reads_back)
{
	for (unsigned i = 1; i < STATE_COUNT; i++)
		cr_assert_eq(sock_state_by_name(sock_state_name(i)), i);
	cr_assert_eq(sock_state_by_name("close_wait"), STATE_CLOSE_WAIT);
	cr_assert_eq(sock_state_by_name("Established"), STATE_ESTAB);
	cr_assert_eq(sock_state_by_name("esta"), 0);
	cr_assert_null(sock_state_name(STATE_COUNT));
}

Test(sock, addresses_of_both_families)
{
	union addr_bytes a;
	char text[46];
	cr_assert_eq(sock_addr_parse("192.0.2.7", &a), AF_INET);
	sock_addr_format(&a, AF_INET, text);
	cr_assert_str_eq(text, "192.0.2.7");
	cr_assert_eq(sock_addr_parse("2001:db8::1", &a), AF_INET6);
	sock_addr_format(&a, AF_INET6, text);
	cr_assert_str_eq(text, "2001:db8::1");
	cr_assert_eq(sock_addr_parse("nonsense", &a), 0);
}

/* Bytes of all lengths in all places; of IPv6 those that are written like IPv4, too. */
Test(sock, addresses_are_written_as_inet_ntop_does)
{
	union addr_bytes a = {{0}};
	char text[46], expect[46];
	for (unsigned i = 0; i < 4 * 256; i++) {
		a.b[i % 4] = (uint8_t)(i / 4);
		sock_addr_format(&a, AF_INET, text);
		cr_assert_str_eq(text, inet_ntop(AF_INET, a.b, expect, sizeof(expect)));
	}
	for (unsigned i = 0; i < 16 * 256; i++) {
		a = (union addr_bytes){{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}};
		a.b[i / 256] = (uint8_t)i;
		sock_addr_format(&a, AF_INET6, text);
		cr_assert_str_eq(text, inet_ntop(AF_INET6, a.b, expect, sizeof(expect)));
	}
}

Test(columns, ids_are_unique_and_predictors_stay_in_the_group)
{
	for (unsigned i = 0; i < columns_count; i++) {
		cr_assert_eq(column_by_id(columns[i].id), &columns[i], "id %u twice",
			     columns[i].id);
		if (!columns[i].predictor)
			continue;
		const struct column *p = column_by_id(columns[i].predictor);
		cr_assert_not_null(p);
		cr_assert_eq(p->group, columns[i].group, "%s", columns[i].name);
	}
}

Test(columns, groups_cover_all_columns)
{
	unsigned n = 0;
	for (unsigned g = 1; g < GRP_COUNT; g++) {
		cr_assert_eq(column_groups[g].first, n);
		cr_assert_eq(column_groups[g].bytes % 8, 0);
		n += column_groups[g].count;
	}
	cr_assert_eq(n, columns_count);
}
