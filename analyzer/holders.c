/* holders.c - see holders.h. */
#include "holders.h"

#include <inttypes.h>

#include "bytes.h"

static int put_holder(struct history *h, uint32_t file, uint32_t process, struct buf *list,
		      struct err *e)
{
	const struct history_process *p;
	int rc = history_process(h, file, process, &p, e);
	if (rc || !p)
		return rc;
	const char *const texts[] = {p->comm, p->exe, p->cmdline, p->container};
	buf_printf(list, "%" PRId64, p->pid);
	buf_put_u8(list, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_put_str(list, texts[i] ? texts[i] : "");
		buf_put_u8(list, 0);
	}
	return 0;
}

int holders_list(struct history *h, uint32_t file, uint32_t more, struct buf *list, struct err *e)
{
	const char *bytes = NULL;
	size_t len = 0;
	int rc = more ? history_text(h, file, more, &bytes, &len, e) : 0;
	struct span s = span_of(bytes ? bytes : "", bytes ? len : 0);
	for (size_t n = 0; !rc && span_left(&s) && n < HOLDERS_MAX; n++) {
		if (list->len >= HOLDERS_MAX_BYTES)
			break;
		uint64_t process = span_varint_max(&s, UINT32_MAX);
		(void)span_varint(&s); /* its fd */
		if (!s.bad)
			rc = put_holder(h, file, (uint32_t)process, list, e);
	}
	return !rc && list->failed ? err_set(e, ERR_NOMEM, "holders: out of memory") : rc;
}
