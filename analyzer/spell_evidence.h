/*
 * spell_evidence.h - narrows a spell's bounds by what the kernel's timers and stamps prove
 * (bounds.h), and finds estimates. Only for spell_*.c.
 *
 * Of every connection the row last seen is kept as the set stores it: stamps are absolute there, so
 * a row that does not change need not be looked at. What bounds.h wants is made of it, and of the
 * tick and the times of the dump that saw it last.
 */
#ifndef SOCKLAPSE_SPELL_EVIDENCE_H
#define SOCKLAPSE_SPELL_EVIDENCE_H

#include "spell_pass.h"

struct spell_evidence;

int evidence_new(struct history *h, struct spell_evidence **ret, struct err *e) MUST_CHECK;
void evidence_free(struct spell_evidence *v);

/* A snapshot begins, and is through. */
void evidence_begin(struct spell_pass *p);
void evidence_end(struct spell_pass *p);

/* Connection `number` is new, and in this state for the first time. Narrows its `entered`. */
int evidence_enter(struct spell_pass *p, uint32_t number, uint32_t position,
		   struct err *e) MUST_CHECK;

/* It is in the same state as before; its timers and stamps may have changed. */
void evidence_more(struct spell_pass *p, uint32_t number, uint32_t position);

/*
 * It is in another state now. Emits the spell that ended, as *end says by snapshots alone (without
 * a queue), narrowed; or holds it back until evidence_release(), if later rows may tell more. What
 * is known of the new one's begin is kept until evidence_entered() narrows that.
 */
int evidence_turn(struct spell_pass *p, uint32_t number, uint32_t position, struct spell_end *end,
		  struct err *e) MUST_CHECK;

/* Emits the spell that is held back, if there is one, before the one after it is emitted. */
int evidence_release(struct spell_pass *p, const struct conn *c, struct err *e) MUST_CHECK;
void evidence_entered(struct spell_pass *p, uint32_t number);

/*
 * Queues of a connection as last seen, before the change of state that `turn` tells of (or NULL);
 * valid until the pass goes on. NULL: not known, and evidence_learn_queue() may help.
 */
const struct row_queue *evidence_queue(const struct spell_pass *p, const struct conn *c,
				       const struct turn *turn);
void evidence_learn_queue(struct spell_pass *p, uint32_t number, const struct row_queue *queue);

/* The snapshot before was the last one that had it, for the time being or for good. */
void evidence_left(struct spell_pass *p, uint32_t number);

/* Either will happen soon to connection `number` (CONN_AHEAD): asks for its memory. */
void evidence_soon(const struct spell_pass *p, uint32_t number);
void evidence_left_soon(const struct spell_pass *p, uint32_t number);

/* It is gone for good: narrows *end. */
void evidence_gone(const struct spell_pass *p, const struct conn *c, struct spell_end *end);

#endif
