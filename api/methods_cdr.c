/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "api/method.h"
#include "base/clock.h"
#include "base/log.h"

/* The call detail records, as the original gives them. */

/* Types of records that the original has; those of conferences never come
 * about here. */
#define TYPES                                                 \
	"scheduledConferenceStarted|ad-hocConferenceStarted|" \
	"conferenceFinished|participantJoined|participantLeft"

static const char *const kind_names[] = {
	[CDR_JOINED] = "participantJoined", [CDR_LEFT] = "participantLeft"
};

/* None, or no member at all: all of them. */
static unsigned read_kinds(const struct value *filter)
{
	unsigned kinds = 0;

	if (value_count(filter) == 0)
		return CDR_ALL_KINDS;
	for (size_t i = 0; i < value_count(filter); i++)
		for (int k = 0; k < CDR_KIND_COUNT; k++)
			if (!strcmp(value_string(value_item(filter, i)),
				    kind_names[k]))
				kinds |= 1U << k;
	return kinds;
}

/* What is not in its range is the most. */
static size_t read_most(const struct value *number)
{
	int32_t n = value_int(number);

	return number && n >= 1 && n <= CDR_READ_MOST ? (size_t)n
						      : CDR_READ_MOST;
}

static void add_event(struct value *events, const struct cdr_row *r)
{
	struct value *s = value_add_struct(events);

	value_put_time(s, "time", r->at);
	value_put_string(s, "type", kind_names[r->kind]);
	value_put_int(s, "index", audit_int(r->number));
	value_put_string(s, "conferenceName", r->conference);
	value_put_string(s, "participantName", r->participant);
	value_put_string(s, "address", r->address);
	value_put_string(s, "direction", r->incoming ? "incoming" : "outgoing");
	value_put_string(s, "transport", r->transport);
	value_put_string(s, "mediaEncryption", r->encryption);
	value_put_string(s, "tlsVersion", r->tls_version);
	value_put_string(s, "cipher", r->cipher);
	value_put_string(s, "peerIdentity", r->peer_identity);
	value_put_boolean(s, "verified", r->verified);
	if (r->kind != CDR_LEFT)
		return;
	value_put_int(s, "durationSeconds", audit_int((uint64_t)r->seconds));
	value_put_string(s, "disconnectReason", r->reason);
}

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct value *index = value_member(c->params, "index");
	const struct cdr_query q = {
		.has_index = index != NULL,
		.index = value_int(index),
		.kinds = read_kinds(value_member(c->params, "filter")),
		.most = read_most(value_member(c->params, "numEvents")),
		.newest_first =
		    value_boolean(value_member(c->params, "newestFirst")),
	};
	struct cdr_batch b;
	struct value *s, *events;

	if (cdr_read(c->services->cdr, &q, &b, e) < 0)
		return NULL;
	s = value_new_struct();
	value_put_int(s, "startIndex", audit_int(b.start));
	value_put_int(s, "nextIndex", audit_int(b.next));
	value_put_boolean(s, "eventsRemaining", b.more);
	value_put_time(s, "currentTime", clock_now());
	events = value_put_array(s, "events");
	for (size_t i = 0; i < b.count; i++)
		add_event(events, &b.rows[i]);
	return s;
}

static struct value *query(struct call *c, struct error *e)
{
	struct cdr_range r;
	struct value *s;
	uint64_t percent;

	if (cdr_range(c->services->cdr, &r, e) < 0)
		return NULL;
	percent = r.count * 100 / CDR_KEPT;
	s = value_new_struct();
	value_put_int(s, "firstIndex", audit_int(r.first));
	value_put_int(s, "deleteableIndex", audit_int(r.last));
	value_put_int(s, "numEvents", audit_int(r.count));
	value_put_int(s, "percentageCapacity",
		      percent < 100 ? (int32_t)percent : 100);
	value_put_int(s, "lost", audit_int(cdr_lost(c->services->cdr)));
	return s;
}

/* What that frees goes back to the disk. */
static void give_back(struct call *c)
{
	struct error e = ERROR_INIT;

	if (store_shrink(c->services->store, &e) < 0)
		log_failure(LOG_LEVEL_WARNING, "cdr", &e);
}

static struct value *delete_records(struct call *c, struct error *e)
{
	int32_t index = value_int(value_member(c->params, "deleteIndex"));
	uint64_t deleted;
	struct value *s;

	if (cdr_delete(c->services->cdr, index > 0 ? (uint64_t)index : 0,
		       &deleted, e) < 0)
		return NULL;
	call_audit(c, AUDIT(CDR_LOG_DELETED, .deleted = AUDIT_NUMBER(deleted),
			    .deleteIndex = AUDIT_NUMBER(index)));
	if (deleted > 0)
		give_back(c);
	s = result_ok();
	value_put_int(s, "deleted", audit_int(deleted));
	return s;
}

static const struct param type_row = { .name = "type",
				       .type = VALUE_STRING,
				       .choices = TYPES };

static const struct param enumerate_rows[] = {
	{ .name = "filter",
	  .type = VALUE_ARRAY,
	  .inside = &type_row,
	  .help = "The types wanted, of " TYPES "; default all." },
	{ .name = "index",
	  .type = VALUE_INT,
	  .help = "The first record wanted. Left out, negative, or 2 and more "
		  "above the newest: from the oldest on." },
	{ .name = "numEvents",
	  .type = VALUE_INT,
	  .help = "How many at most, 1 to 20; anything else is 20." },
	{ .name = "newestFirst",
	  .type = VALUE_BOOLEAN,
	  .help = "From index, or from the newest, down; default false." },
	{ 0 },
};

static const struct param delete_rows[] = {
	{ .name = "deleteIndex",
	  .type = VALUE_INT,
	  .required = true,
	  .help = "Records with a smaller index are deleted." },
	{ 0 },
};

const struct method methods_cdr[] = {
	{ "cdrlog.enumerate", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF,
	  enumerate_rows, enumerate,
	  "startIndex, nextIndex int, eventsRemaining boolean, currentTime "
	  "time, events array of time, type, index, conferenceName, "
	  "participantName, address, direction, transport, mediaEncryption, "
	  "tlsVersion, cipher, peerIdentity, verified, and for participantLeft "
	  "durationSeconds, disconnectReason",
	  "Who was connected from when to when, at most 20 records. While "
	  "eventsRemaining, and to hear of later ones, the next batch begins "
	  "at nextIndex. A call that never connected has a participantLeft "
	  "alone, of 0 seconds. One that was up when the service was killed "
	  "or lost power has one of the reason serviceInterrupted, written at "
	  "the next start, with the least duration." },
	{ "cdrlog.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF, NULL,
	  query,
	  "firstIndex, deleteableIndex, numEvents, percentageCapacity, lost "
	  "int",
	  "How many call detail records there are: the oldest, the newest "
	  "that can be deleted, and how much of the room for 100,000 they "
	  "take. lost counts those since the start that could not be "
	  "written." },
	{ "cdrlog.delete", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, delete_rows,
	  delete_records, "status string, deleted int",
	  "Delete the call detail records below an index; to delete all, that "
	  "is deleteableIndex and 1." },
	{ 0 },
};
