/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_fields.h"
#include "audit/audit_private.h"
#include "audit/audit_record.h"
#include "audit/audit_room.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/utf8.h"

enum {
	MODULE_MAX = 32,
	ACTOR_MAX = 256,
	VIA_MAX = 32,
};

#define FIELD(name) #name,
#define EVENT(id, name, severity, help, fields) \
	static const char *const fields_##id[] = { fields NULL };
#include "audit/events.def"
#undef EVENT
#undef FIELD

/* AUDIT() hands the values over as an array. */
#define FIELD(name)
#define EVENT(id, name, severity, help, fields)                       \
	static_assert(sizeof(struct audit_values_##id) ==             \
			  sizeof(fields_##id) - sizeof(const char *), \
		      "a value for each field");
#include "audit/events.def"
#undef EVENT
#undef FIELD

static const struct {
	const char *name, *label;
	enum audit_severity severity;
	const char *const *fields;
} events[AUDIT_EVENT_COUNT] = {
#define EVENT(id, name, severity, help, fields) \
	[AUDIT_##id] = { name, help, severity, fields_##id },
#include "audit/events.def"
#undef EVENT
};

static const char *const severities[] = {
	[AUDIT_ERROR] = "Error",
	[AUDIT_SEVERE_WARNING] = "Severe Warning",
	[AUDIT_WARNING] = "Warning",
	[AUDIT_INFO] = "Info",
	[AUDIT_STATUS_WARNING] = "Status Warning",
};

const char *audit_severity_name(enum audit_severity s)
{
	return (unsigned)s <= AUDIT_STATUS_WARNING ? severities[s] : "";
}

const char *audit_event_name(enum audit_event event)
{
	return (unsigned)event < AUDIT_EVENT_COUNT ? events[event].name : "";
}

const char *audit_event_label(enum audit_event event)
{
	return (unsigned)event < AUDIT_EVENT_COUNT ? events[event].label : "";
}

enum audit_severity audit_event_severity(enum audit_event event)
{
	return events[event].severity;
}

const char *const *audit_event_fields(enum audit_event event)
{
	return events[event].fields;
}

enum audit_event audit_event_find(const char *name)
{
	int i = 0;

	while (i < AUDIT_EVENT_COUNT && strcmp(name, events[i].name) != 0)
		i++;
	return (enum audit_event)i;
}

const char *audit_number(int64_t n, char out[AUDIT_NUMBER_SIZE])
{
	snprintf(out, AUDIT_NUMBER_SIZE, "%" PRId64, n);
	return out;
}

/* A disk that is full already stops changes, not the service. */
static void begin_reserve(struct audit *a)
{
	struct error e = ERROR_INIT;

	if (audit_ready(a, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "audit", &e);
}

static void seal(struct audit_row *row, const uint8_t previous[SHA256_SIZE])
{
	/* Texts are cut to fit above. */
	(void)audit_record_hash(row, previous, row->hash);
}

static int write_rows(void *arg, struct audit_row *const rows[], size_t count,
		      struct error *e)
{
	struct audit *a = arg;

	return audit_room_append(a->store, a->reserve, rows, count, seal, e);
}

struct audit *audit_new(struct store *s, struct error *e)
{
	struct audit *a = calloc(1, sizeof(*a));
	uint64_t first, last;

	if (!a) {
		error_nomem(e);
		return NULL;
	}
	a->store = s;
	pthread_rwlock_init(&a->listener_lock, NULL);
	pthread_mutex_init(&a->meter_lock, NULL);
	random_bytes(a->meter.key, sizeof(a->meter.key));
	audit_group_init(&a->group, write_rows, a);
	if (audit_range(a, &first, &last, e) < 0) {
		audit_free(a);
		return NULL;
	}
	a->reserve = audit_reserve_new(store_directory(s), e);
	if (!a->reserve) {
		audit_free(a);
		return NULL;
	}
	begin_reserve(a);
	return a;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	audit_reserve_free(a->reserve);
	pthread_rwlock_destroy(&a->listener_lock);
	pthread_mutex_destroy(&a->meter_lock);
	audit_group_destroy(&a->group);
	free(a);
}

int audit_ready(struct audit *a, struct error *e)
{
	return audit_room_check(a->store, a->reserve, e);
}

int audit_delete(struct audit *a, uint64_t before, uint64_t *deleted,
		 struct error *e)
{
	uint64_t first, last;

	*deleted = 0;
	if (audit_range(a, &first, &last, e) < 0)
		return -1;
	if (before > last + 1)
		before = last + 1;
	if (audit_room_delete(a->store, a->reserve, first, before, deleted,
			      e) == 0)
		return 0;
	if (*deleted == 0)
		return -1;
	/* What is gone wants its record all the same. */
	log_failure(LOG_LEVEL_WARNING, "audit", e);
	error_clear(e);
	return 0;
}

void audit_keep_reserve(struct audit *a)
{
	struct error e = ERROR_INIT;

	/* Whoever wants to change something hears that there is none. */
	(void)!audit_reserve_hold(a->reserve, &e);
}

uint64_t audit_lost(struct audit *a)
{
	return a->lost;
}

static bool is_admitted(struct audit *a, enum audit_event event,
			const struct audit_actor *actor)
{
	bool admitted;

	pthread_mutex_lock(&a->meter_lock);
	admitted =
	    audit_meter_admit(&a->meter, event, actor, clock_monotonic_ms());
	pthread_mutex_unlock(&a->meter_lock);
	return admitted;
}

void audit_tell_suppressed(struct audit *a, bool all)
{
	static const struct audit_actor system = { "System", "", "", "" };
	struct error e = ERROR_INIT;
	enum audit_event event;
	uint32_t count;
	bool found;

	do {
		pthread_mutex_lock(&a->meter_lock);
		found = audit_meter_settle(&a->meter, clock_monotonic_ms(), all,
					   &event, &count);
		pthread_mutex_unlock(&a->meter_lock);
		/* A record that is lost is counted and logged there. */
		if (found)
			(void)audit_append(a,
					   AUDIT(RECORDS_SUPPRESSED,
						 .event = events[event].name,
						 .count = AUDIT_NUMBER(count)),
					   &system, &e);
	} while (found);
}

int audit_append(struct audit *a, struct audit_what what,
		 const struct audit_actor *actor, struct error *e)
{
	char module[MODULE_MAX], user[ACTOR_MAX], peer[ACTOR_MAX];
	char via[VIA_MAX], fields[AUDIT_FIELDS_SIZE];
	struct audit_row row = {
		.format = AUDIT_FORMAT_FIELDS,
		.module = module,
		.severity = audit_severity_name(events[what.event].severity),
		.user_name = user,
		.peer = peer,
		.via = via,
		.event = events[what.event].name,
		.detail = fields,
	};

	if (!is_admitted(a, what.event, actor))
		return 0;
	audit_fields_write(what, fields);
	utf8_line(view_str(actor->module), module, sizeof(module));
	utf8_line(view_str(actor->user_name), user, sizeof(user));
	utf8_line(view_str(actor->peer), peer, sizeof(peer));
	utf8_line(view_str(actor->via), via, sizeof(via));
	if (audit_group_append(&a->group, &row, e) == 0) {
		audit_tell(a, &row);
		return 0;
	}
	a->lost++;
	error_prefix(e, "audit record \"%s\" lost (%" PRIu64 " so far)",
		     row.event, a->lost);
	log_failure(LOG_LEVEL_ERROR, "audit", e);
	return -1;
}
