/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_PRIVATE_H
#define SB_AUDIT_AUDIT_PRIVATE_H

#include <pthread.h>

#include "audit/audit.h"
#include "audit/audit_group.h"
#include "audit/audit_meter.h"
#include "store/audit_rows.h"

/* Shared by the files of this folder only. */

enum { AUDIT_PAGE_RECORDS = 500 }; /* read from the store at once */

struct audit {
	struct store *store;
	struct audit_reserve *reserve;
	struct audit_group group;
	_Atomic uint64_t lost;
	pthread_mutex_t meter_lock;
	struct audit_meter meter;
	pthread_rwlock_t listener_lock;
	struct {
		audit_listener_fn *fn;
		void *arg;
	} listeners[AUDIT_LISTENERS_MAX];
};

/* The record as others see it, of texts of the row and of rendered. */
struct audit_record audit_record_of(const struct audit_row *row,
				    char rendered[AUDIT_DETAIL_MAX + 1]);

/* For the listener: this record is on disk. */
void audit_tell(struct audit *a, const struct audit_row *row);

#endif
