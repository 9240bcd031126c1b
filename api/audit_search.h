/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_SEARCH_H
#define SB_API_AUDIT_SEARCH_H

#include "api/log_page.h"

/* Which records auditlog.enumerate gives. */

/* The members of "filter" there. */
extern const struct param audit_filter_rows[];

/* ERR_INPUT: a member that there is not; misspelt, it would let everything
 * through. filter NULL: none. */
int audit_filter_check(const struct value *filter, struct error *e) MUST_CHECK;
/* All members must fit; one that is left out lets everything through. */
bool audit_filter_passes(const struct value *filter,
			 const struct audit_record *r);

/* Fill the members events, eventsRemaining and nextIndex of s. */
int audit_search(struct audit *a, const struct log_page *page, struct value *s,
		 struct error *e) MUST_CHECK;

#endif
