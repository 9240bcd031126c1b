/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_private.h"

int audit_add_listener(struct audit *a, audit_listener_fn *fn, void *arg)
{
	int rc = -1;

	pthread_rwlock_wrlock(&a->listener_lock);
	for (int i = 0; i < AUDIT_LISTENERS_MAX && rc < 0; i++) {
		if (a->listeners[i].fn)
			continue;
		a->listeners[i].fn = fn;
		a->listeners[i].arg = arg;
		rc = 0;
	}
	pthread_rwlock_unlock(&a->listener_lock);
	return rc;
}

void audit_remove_listener(struct audit *a, audit_listener_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&a->listener_lock);
	for (int i = 0; i < AUDIT_LISTENERS_MAX; i++)
		if (a->listeners[i].fn == fn && a->listeners[i].arg == arg)
			a->listeners[i].fn = NULL;
	pthread_rwlock_unlock(&a->listener_lock);
}

void audit_tell(struct audit *a, const struct audit_row *row)
{
	char rendered[AUDIT_DETAIL_MAX + 1];
	struct audit_record r;

	pthread_rwlock_rdlock(&a->listener_lock);
	for (int i = 0; i < AUDIT_LISTENERS_MAX; i++) {
		if (!a->listeners[i].fn)
			continue;
		r = audit_record_of(row, rendered);
		a->listeners[i].fn(a->listeners[i].arg, &r);
	}
	pthread_rwlock_unlock(&a->listener_lock);
}
