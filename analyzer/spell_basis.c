/* spell_basis.c - what the spells of a pass rest on: snapshots, gaps, holes. */
#include "spell_pass.h"

void spell_note_basis(struct spell_pass *p, const struct rec_snapshot *s)
{
	struct spell_basis *b = &p->basis;
	if (!b->snapshots++ || s->wall_begin_ns < b->first_wall_ns)
		b->first_wall_ns = s->wall_begin_ns;
	if (b->snapshots == 1 || s->wall_begin_ns > b->last_wall_ns)
		b->last_wall_ns = s->wall_begin_ns;
	b->incomplete += !p->complete;
	b->flags |= s->flags;
}

void spell_pass_basis(const struct spell_pass *p, struct spell_basis *ret)
{
	*ret = p->basis;
	size_t gaps;
	history_ahead_gaps(p->walk, &gaps, &ret->unreadable);
}
