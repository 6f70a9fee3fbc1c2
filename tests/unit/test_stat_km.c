/* test_stat_km.c - quantiles of durations that are known only in part. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "stat_km.h"

static const double quarters[] = {0.25, 0.5, 0.9};

static void add(struct km *k, int64_t least, int64_t most, bool ended)
{
	struct err e = {0};
	struct km_sample s = {.least = least, .most = most, .ended = ended};
	cr_assert_eq(km_add(k, &s, &e), 0, "%s", e.text);
}

static void ask(const struct km *k, struct km_quantile ret[3])
{
	struct err e = {0};
	cr_assert_eq(km_quantiles(k, quarters, 3, ret, &e), 0, "%s", e.text);
}

Test(stat_km, without_censoring_they_are_the_plain_quantiles)
{
	struct km k = {0};
	struct km_quantile q[3];
	for (int64_t i = 1; i <= 10; i++)
		add(&k, i * 10, i * 10 + 5, true);
	ask(&k, q);
	cr_assert_eq(q[0].least, 30);
	cr_assert_eq(q[0].most, 35);
	cr_assert_eq(q[1].least, 50);
	cr_assert_eq(q[1].most, 55);
	cr_assert_eq(q[2].least, 90);
	cr_assert_eq(q[2].most, 95);
	km_fini(&k);
}

/*
 * Remission of leukemia patients treated with 6-MP (Freireich et al. 1963), the example of most
 * textbooks: 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+. The median is
 * 23 weeks; S(7) = 0.807, so the quarter comes at 13 (S = 0.690).
 */
Test(stat_km, censored_as_in_the_textbook)
{
	static const struct {
		int weeks;
		bool ended;
	} patients[] = {{6, true},   {6, true},	  {6, true},   {6, false}, {7, true},	{9, false},
			{10, true},  {10, false}, {11, false}, {13, true}, {16, true},	{17, false},
			{19, false}, {20, false}, {22, true},  {23, true}, {25, false}, {32, false},
			{32, false}, {34, false}, {35, false}};
	struct km k = {0};
	struct km_quantile q[3];
	for (size_t i = 0; i < sizeof(patients) / sizeof(patients[0]); i++)
		add(&k, patients[i].weeks, patients[i].weeks, patients[i].ended);
	ask(&k, q);
	cr_assert_eq(q[0].least, 13);
	cr_assert_eq(q[0].most, 13);
	cr_assert_eq(q[1].least, 23);
	cr_assert_eq(q[1].most, 23);
	cr_assert_eq(q[2].least, 35, "not so many ended: behind all that was seen");
	cr_assert_eq(q[2].most, STAT_KM_UNKNOWN);
	km_fini(&k);
}

/* Who was first seen at the age of 10 says nothing about ages below it. */
Test(stat_km, late_entries_do_not_count_before_they_are_seen)
{
	struct km k = {0};
	struct km_quantile q[3];
	struct err e = {0};
	for (int i = 0; i < 4; i++)
		add(&k, i < 2 ? 5 : 20, i < 2 ? 5 : 20, true);
	for (int i = 0; i < 4; i++) {
		struct km_sample s = {.least = 20,
				      .most = 20,
				      .ended = true,
				      .late = true,
				      .late_least = 10,
				      .late_most = 10};
		cr_assert_eq(km_add(&k, &s, &e), 0);
	}
	ask(&k, q);
	cr_assert_eq(q[1].least, 5, "2 of the 4 at risk at age 5 ended there, not 2 of 8");
	cr_assert_eq(q[2].least, 20);
	km_fini(&k);
}

Test(stat_km, nothing_ended)
{
	struct km k = {0};
	struct km_quantile q[3];
	add(&k, 100, 200, false);
	add(&k, 300, 400, false);
	ask(&k, q);
	cr_assert_eq(q[1].least, 300);
	cr_assert_eq(q[1].most, STAT_KM_UNKNOWN);
	km_fini(&k);
}

static int compare(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

/* Past STAT_KM_EXACT the buckets take over: brackets stay true, and at most 1/32 wider. */
Test(stat_km, many_samples_stay_in_their_bracket)
{
	enum {
		COUNT = 20000
	};
	struct km k = {0};
	struct km_quantile q[3];
	int64_t *truth = malloc(COUNT * sizeof(*truth));
	cr_assert_not_null(truth);
	uint64_t seed = 7;
	for (size_t i = 0; i < COUNT; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		truth[i] = (int64_t)((seed >> 33) % 1000) * (int64_t)((seed >> 43) % 1000);
		add(&k, truth[i], truth[i], true);
	}
	ask(&k, q);
	qsort(truth, COUNT, sizeof(*truth), compare);
	for (size_t i = 0; i < 3; i++) {
		int64_t exact = truth[(size_t)(quarters[i] * COUNT + 0.5) - 1];
		cr_assert_leq(q[i].least, exact);
		cr_assert_geq(q[i].most, exact);
		cr_assert_leq(q[i].most - q[i].least, exact / 32 + 1);
	}
	free(truth);
	km_fini(&k);
}

/*
 * One that ended before another one was censored was one of three, behind it one of two: as short
 * as possible the median is 20, as long as possible 10.
 */
Test(stat_km, an_early_end_may_put_the_quantile_off)
{
	struct km k = {0};
	struct km_quantile q[3];
	add(&k, 3, 10, true);
	add(&k, 5, 5, false);
	add(&k, 20, 20, true);
	ask(&k, q);
	cr_assert_eq(q[1].least, 5, "6 if the first ended just behind the censored one");
	cr_assert_eq(q[1].most, 20, "and 20 if before");
	km_fini(&k);
}

#define FEW 6

/* What the estimator says of durations that are known exactly. */
static int64_t quantile_of(const int64_t at[FEW], const bool ended[FEW], int n, double q)
{
	double alive = 1;
	for (int64_t t = 0; t < 64; t++) {
		int at_risk = 0, ends = 0;
		for (int i = 0; i < n; i++) {
			at_risk += at[i] >= t;
			ends += at[i] == t && ended[i];
		}
		if (ends)
			alive *= ends < at_risk ? 1 - (double)ends / at_risk : 0;
		if (alive <= 1 - q + 1e-12)
			return t;
	}
	return STAT_KM_UNKNOWN;
}

static uint64_t next(uint64_t *seed, uint64_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (*seed >> 33) % below;
}

/* Few durations, open and ended, with brackets; many truths within each. */
Test(stat_km, no_truth_within_the_brackets_lies_outside)
{
	uint64_t seed = 11;
	for (int round = 0; round < 4000; round++) {
		int64_t least[FEW], most[FEW], at[FEW];
		bool ended[FEW];
		struct km k = {0};
		struct km_quantile q[3];
		int n = 1 + (int)next(&seed, FEW);
		for (int i = 0; i < n; i++) {
			least[i] = (int64_t)next(&seed, 12);
			most[i] = least[i] + (int64_t)next(&seed, 8);
			ended[i] = next(&seed, 3) != 0;
			add(&k, least[i], most[i], ended[i]);
		}
		ask(&k, q);
		for (int truth = 0; truth < 50; truth++) {
			for (int i = 0; i < n; i++)
				at[i] = least[i] +
					(int64_t)next(&seed, (uint64_t)(most[i] - least[i] + 1));
			for (int i = 0; i < 3; i++) {
				int64_t true_q = quantile_of(at, ended, n, quarters[i]);
				if (true_q != STAT_KM_UNKNOWN)
					cr_assert_leq(q[i].least, true_q, "round %d", round);
				if (q[i].most != STAT_KM_UNKNOWN)
					cr_assert(true_q != STAT_KM_UNKNOWN && true_q <= q[i].most,
						  "round %d: %lld, not below %lld", round,
						  (long long)q[i].most, (long long)true_q);
			}
		}
		km_fini(&k);
	}
}
