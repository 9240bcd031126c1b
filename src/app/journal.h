/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_APP_JOURNAL_H
#define SB_APP_JOURNAL_H

#include "audit/audit.h"

/* Under systemd, where standard error is the journal's stream, events go to the
 * journal as entries with fields, in the place of lines, and so does each audit
 * record (journal_fields.h). Elsewhere nothing happens. */

void journal_begin(void);
/* The records, too, for as long as there is the trail. */
void journal_follow(struct audit *a);
/* Lines again. */
void journal_end(void);

#endif
