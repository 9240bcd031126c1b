/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_private.h"

void audit_on_append(struct audit *a, audit_listener_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&a->listener_lock);
	a->listener = fn;
	a->listener_arg = arg;
	pthread_rwlock_unlock(&a->listener_lock);
}

void audit_tell(struct audit *a, const struct audit_row *row)
{
	char rendered[AUDIT_DETAIL_MAX + 1];
	struct audit_record r;

	pthread_rwlock_rdlock(&a->listener_lock);
	if (a->listener) {
		r = audit_record_of(row, rendered);
		a->listener(a->listener_arg, &r);
	}
	pthread_rwlock_unlock(&a->listener_lock);
}
