/* vt_frame_plan.c - see vt_frame_plan.h; also frame_best_index() of vt_frame.h. */
#include "vt_frame_plan.h"

#include <string.h>

/* A column's letter in idxStr. */
#define LETTER(column) ((char)('a' + (column)))

/* How large a part of a snapshot's rows an equality leaves, for those columns that are tested. */
static double share_of(int column, double rows)
{
	switch (column) {
	case FRAME_COOKIE:
	case FRAME_INODE:
		return 1 / rows;
	case FRAME_STATE:
		return 0.2;
	case FRAME_PROTO:
		return 0.5;
	case FRAME_LOCAL_PORT:
	case FRAME_PEER_PORT:
		return 0.05;
	default:
		return 0;
	}
}

/* The operator's character in idxStr; 0: not used. */
static char operator_of(int column, unsigned char op)
{
	bool ranged = column == FRAME_SNAPSHOT || column == FRAME_TIME_NS;
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return ranged || share_of(column, 1) > 0 ? '=' : 0;
	case SQLITE_INDEX_CONSTRAINT_GT:
		return ranged ? '>' : 0;
	case SQLITE_INDEX_CONSTRAINT_GE:
		return ranged ? 'G' : 0;
	case SQLITE_INDEX_CONSTRAINT_LT:
		return ranged ? '<' : 0;
	case SQLITE_INDEX_CONSTRAINT_LE:
		return ranged ? 'L' : 0;
	default:
		return 0;
	}
}

/*
 * `state IN (...)` would make SQLite walk the same frames once for every value: better one walk
 * and a check of each row. Of snapshots it is meant so.
 */
static bool is_list(sqlite3_index_info *info, int i)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	return info->aConstraint[i].iColumn > FRAME_TIME_NS && sqlite3_vtab_in(info, i, -1);
#else
	(void)info, (void)i;
	return false;
#endif
}

/* The arguments of `differing` go to xFilter whatever else does; without A and B it has no rows. */
static bool take_pair(sqlite3_index_info *info, int pair, char *plan, int *n)
{
	unsigned found = 0;
	for (int i = 0; i < info->nConstraint; i++) {
		int at = info->aConstraint[i].iColumn - pair;
		if (at < 0 || at >= PAIR_COLUMNS ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
		    !info->aConstraint[i].usable || (found >> at & 1))
			continue;
		found |= 1u << at;
		plan[2 * *n] = LETTER(FRAME_COLUMNS + at);
		plan[2 * *n + 1] = '=';
		info->aConstraintUsage[i].argvIndex = ++*n;
		info->aConstraintUsage[i].omit = 1;
	}
	return (found & 1u << PAIR_A) && (found & 1u << PAIR_B);
}

int frame_best_index(const struct vt_context *context, sqlite3_index_info *info, int needs,
		     int pair)
{
	size_t count;
	const struct history_snapshot *s = history_snapshots(context->history, &count);
	double rows = 1 + (count ? (double)s[count - 1].rec->sockets : 0);
	double snapshots = 1 + (double)count;
	double share = 1;
	char *plan = sqlite3_malloc64(2 * (sqlite3_uint64)info->nConstraint + 1);
	if (!plan)
		return SQLITE_NOMEM;
	int n = 0;
	if (pair >= 0 && !take_pair(info, pair, plan, &n)) {
		sqlite3_free(plan);
		return SQLITE_CONSTRAINT;
	}
	for (int i = 0; i < info->nConstraint; i++) {
		int column = info->aConstraint[i].iColumn;
		if (!info->aConstraint[i].usable || column < 0 || column >= FRAME_COLUMNS ||
		    is_list(info, i))
			continue;
		char op = operator_of(column, info->aConstraint[i].op);
		if (!op)
			continue;
		plan[2 * n] = LETTER(column);
		plan[2 * n + 1] = op;
		info->aConstraintUsage[i].argvIndex = ++n;
		if (column == FRAME_SNAPSHOT || column == FRAME_TIME_NS)
			snapshots = op == '=' ? 1 : snapshots / 4 + 1;
		else
			share *= share_of(column, rows);
	}
	plan[2 * n] = 0;
	info->idxStr = plan;
	info->needToFreeIdxStr = 1;
	info->idxNum = needs;
	info->estimatedCost = snapshots * (200 + rows * (0.2 + share)) + (n ? 0 : 1e6);
	info->estimatedRows = 1 + (sqlite3_int64)(snapshots * rows * share);
	info->orderByConsumed = info->nOrderBy == 1 && !info->aOrderBy[0].desc &&
				info->aOrderBy[0].iColumn == FRAME_SNAPSHOT;
	return SQLITE_OK;
}

/* Narrows [*lo, *hi] by an operator and a whole number. */
static void narrow(int64_t *lo, int64_t *hi, char op, int64_t v)
{
	if (op == '>' && v < INT64_MAX)
		v++;
	if (op == '<' && v > INT64_MIN)
		v--;
	if ((op == '=' || op == '>' || op == 'G') && v > *lo)
		*lo = v;
	if ((op == '=' || op == '<' || op == 'L') && v < *hi)
		*hi = v;
}

/* A fraction narrows to the whole numbers around it; what is no number does not narrow at all. */
static void range(int64_t *lo, int64_t *hi, char op, sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);
	if (type == SQLITE_NULL) {
		*lo = 1;
		*hi = 0;
	} else if (type == SQLITE_INTEGER) {
		narrow(lo, hi, op, sqlite3_value_int64(value));
	} else if (type == SQLITE_FLOAT) {
		double d = sqlite3_value_double(value);
		if (!(d > -9e18 && d < 9e18))
			return;
		if (op == '>' || op == 'G')
			narrow(lo, hi, 'G', (int64_t)d - 1);
		else if (op == '<' || op == 'L')
			narrow(lo, hi, 'L', (int64_t)d + 1);
	}
}

static void test(struct frame_cursor *c, enum frame_column column, sqlite3_value *value)
{
	struct frame_test t = {.column = column};
	int type = sqlite3_value_type(value);
	if (c->tests_count == FRAME_MAX_TESTS)
		return;
	if (type == SQLITE_NULL) {
		c->last = 0;
	} else if (column == FRAME_STATE || column == FRAME_PROTO) {
		if (type != SQLITE_TEXT)
			return;
		const char *text = (const char *)sqlite3_value_text(value);
		if (text)
			t.value = column == FRAME_STATE ? sock_state_by_name(text)
							: sock_proto_by_name(text);
		c->tests[c->tests_count++] = t;
	} else if (type == SQLITE_INTEGER) {
		t.value = (uint64_t)sqlite3_value_int64(value);
		c->tests[c->tests_count++] = t;
	}
}

void frame_plan_apply(struct frame_cursor *c, const char *plan, int argc, sqlite3_value **argv)
{
	c->first = 1;
	c->last = INT64_MAX;
	c->from_ns = INT64_MIN;
	c->to_ns = INT64_MAX;
	c->tests_count = 0;
	memset(c->pair, 0, sizeof(c->pair));
	for (int i = 0; i < argc && plan && plan[2 * i]; i++) {
		int column = plan[2 * i] - LETTER(0);
		if (column == FRAME_SNAPSHOT)
			range(&c->first, &c->last, plan[2 * i + 1], argv[i]);
		else if (column >= FRAME_COLUMNS)
			c->pair[column - FRAME_COLUMNS] = sqlite3_value_int64(argv[i]);
		else if (column == FRAME_TIME_NS)
			range(&c->from_ns, &c->to_ns, plan[2 * i + 1], argv[i]);
		else
			test(c, (enum frame_column)column, argv[i]);
	}
}
