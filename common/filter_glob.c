/*
 * filter_glob.c - globs as fnmatch(3) reads them, over UTF-8, in time at most length × length: a
 * '*' remembers only where it could take one character more.
 */
#include "filter.h"

/* One character of UTF-8 at `s`, its length in *len. A byte that begins none stands for itself. */
static uint32_t character(const char *s, size_t *len)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint8_t lead = (uint8_t)s[0];
	size_t n = lead < 0x80	 ? 1
		   : lead < 0xc2 ? 0
		   : lead < 0xe0 ? 2
		   : lead < 0xf0 ? 3
		   : lead < 0xf5 ? 4
				 : 0;
	uint32_t c = n ? lead & masks[n] : 0;
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)s[i] & 0xc0) != 0x80) {
			n = 0;
			break;
		}
		c = c << 6 | ((uint8_t)s[i] & 0x3f);
	}
	*len = n ? n : 1;
	return n ? c : 0xdc00u + lead;
}

static uint32_t fold(uint32_t c, bool any_case)
{
	return any_case && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* A character of a bracket expression or of the glob itself, which a backslash may hide. */
static uint32_t glob_character(const char *g, size_t *len)
{
	size_t skip = g[0] == '\\' && g[1] ? 1 : 0;
	uint32_t c = character(g + skip, len);
	*len += skip;
	return c;
}

static bool in_range(uint32_t c, uint32_t lo, uint32_t hi, bool any_case)
{
	uint32_t lower = fold(c, any_case);
	uint32_t upper = any_case && lower >= 'a' && lower <= 'z' ? lower - ('a' - 'A') : lower;
	return (lower >= lo && lower <= hi) || (upper >= lo && upper <= hi);
}

/* Length of the bracket expression at `g`, 0 if it is not closed; *ret: is `c` one of it? */
static size_t bracket(const char *g, uint32_t c, bool any_case, bool *ret)
{
	size_t i = 1;
	bool inverse = g[1] == '!' || g[1] == '^';
	bool found = false;
	i += inverse;
	for (bool first = true; g[i] && (g[i] != ']' || first); first = false) {
		size_t len;
		uint32_t lo = glob_character(g + i, &len);
		uint32_t hi = lo;
		i += len;
		if (g[i] == '-' && g[i + 1] && g[i + 1] != ']') {
			hi = glob_character(g + i + 1, &len);
			i += 1 + len;
		}
		found |= in_range(c, lo, hi, any_case);
	}
	*ret = found != inverse;
	return g[i] == ']' ? i + 1 : 0;
}

/* Does the first element of `g` (not '*') match the character `c`? Its length in *len. */
static bool element(const char *g, uint32_t c, bool any_case, size_t *len)
{
	bool found;
	*len = 1;
	if (*g == '?')
		return true;
	size_t n = *g == '[' ? bracket(g, c, any_case, &found) : 0;
	if (n) {
		*len = n;
		return found;
	}
	return fold(glob_character(g, len), any_case) == fold(c, any_case);
}

bool filter_glob_match(const char *glob, const char *text, bool any_case)
{
	const char *g = glob;
	const char *retry_glob = NULL; /* behind the last '*' */
	const char *retry_text = NULL; /* where it would end */
	while (*text) {
		size_t text_len, glob_len;
		uint32_t c = character(text, &text_len);
		if (*g == '*') {
			retry_glob = ++g;
			retry_text = text;
		} else if (*g && element(g, c, any_case, &glob_len)) {
			g += glob_len;
			text += text_len;
		} else if (retry_glob) {
			character(retry_text, &text_len);
			retry_text += text_len;
			text = retry_text;
			g = retry_glob;
		} else {
			return false;
		}
	}
	while (*g == '*')
		g++;
	return !*g;
}
