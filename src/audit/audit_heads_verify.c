/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "audit/audit_heads.h"

static enum audit_reason reason_of(const char *name)
{
	int r = AUDIT_INTACT;

	while (r < AUDIT_REASON_COUNT &&
	       strcmp(name, audit_reason_name((enum audit_reason)r)) != 0)
		r++;
	return (enum audit_reason)r;
}

/* What the chain itself shows stays: heads tell of records as they were,
 * not of which one was touched. */
static int add_heads(struct audit_heads *h, struct audit_verdict *out,
		     struct error *e)
{
	struct audit_heads_verdict v;

	if (audit_heads_check(h, &v, e) < 0)
		return -1;
	out->heads = v.checked;
	out->signed_up_to = v.attested_upto;
	out->rollback = v.rollback;
	if (out->reason || !v.reason[0])
		return 0;
	out->reason = reason_of(v.reason);
	out->first_broken = v.first_broken;
	snprintf(out->problem, sizeof(out->problem), "%s", v.problem);
	return 0;
}

int audit_heads_verify(struct audit_heads *h, struct audit *a,
		       struct audit_verdict *out, struct error *e)
{
	int rc = audit_verify(a, out, e);

	if (rc == 0)
		rc = add_heads(h, out, e);
	out->intact = rc == 0 && out->reason == AUDIT_INTACT;
	return rc;
}
