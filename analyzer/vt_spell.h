/*
 * vt_spell.h - the SQL table `spell`: a row for each spell of a history (spell.h), columns as in
 * spell_value.h. As a function, spell(FIRST, LAST, EVIDENCE), it looks only at these snapshots, as
 * if there were no others, and with EVIDENCE 1 narrows the bounds by the kernel's timers and
 * stamps, which takes longer; with 0 it does not, and by default where it is cheap.
 */
#ifndef SOCKLAPSE_VT_SPELL_H
#define SOCKLAPSE_VT_SPELL_H

#include "spell.h"
#include "vt.h"

int vt_spell_register(sqlite3 *db, const struct vt_context *context);

/*
 * The table `spell_row`: the one spell that *current points to, so that a filter can be asked about
 * a spell at hand. *current may change between two runs of a statement.
 */
int vt_spell_row_register(sqlite3 *db, const struct vt_context *context,
			  const struct spell *const *current);

#endif
