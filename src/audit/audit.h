/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_H
#define SB_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* The audit trail: one record for whatever an administrator changed or somebody
 * tried. Records are chained: each carries SHA-256 over its fields and the
 * record before, so a changed or missing one shows. Any thread. */

/* One row an event in events.def: AUDIT_LOGIN, AUDIT_CERTIFICATE_UPLOADED, ...
 */
enum audit_event {
#define EVENT(id, name, severity, help, fields) AUDIT_##id,
#include "audit/events.def"
#undef EVENT
	AUDIT_EVENT_COUNT
};

/* The values of an event's fields: struct audit_values_LOGIN, ..., a member
 * (const char *) for each field. NULL or "": the record goes without it. */
#define FIELD(name) const char *name;
#define EVENT(id, name, severity, help, fields) \
	struct audit_values_##id {              \
		fields                          \
	};
#include "audit/events.def"
#undef EVENT
#undef FIELD

/* An event and its values, in the order of its fields. */
struct audit_what {
	enum audit_event event;
	const char *const *values;
};

/* AUDIT(SETTING_CHANGED, .setting = name, .from = old, .to = new): an event for
 * the calls below; a field that the event does not have does not compile. No
 * secrets. Its values live as long as the block it stands in. */
#define AUDIT(id, ...)        \
	((struct audit_what){ \
	    AUDIT_##id,       \
	    (const char *const *)&(struct audit_values_##id){ __VA_ARGS__ } })
/* The same of values that are already in a struct audit_values_ID. */
#define AUDIT_OF(id, values)                       \
	((struct audit_what){                      \
	    AUDIT_##id,                            \
	    (const char *const *)(true ? &(values) \
				       : (struct audit_values_##id *)NULL) })

enum audit_severity {
	AUDIT_ERROR,
	AUDIT_SEVERE_WARNING,
	AUDIT_WARNING,
	AUDIT_INFO,
	AUDIT_STATUS_WARNING
};

/* The original's words: "Error", "Severe Warning", "Warning", "Info", "Status
 * Warning"; modules "Web", "Serial", "API", "SIP", "System". */
const char *audit_severity_name(enum audit_severity s);
const char *audit_event_name(enum audit_event event);
/* What it means, for people; "" for no event. */
const char *audit_event_label(enum audit_event event);
enum audit_severity audit_event_severity(enum audit_event event);
/* The names of its fields in the order of the values, up to a NULL. */
const char *const *audit_event_fields(enum audit_event event);
/* The event of that name, AUDIT_EVENT_COUNT without. */
enum audit_event audit_event_find(const char *name);

/* Who did it from where. */
struct audit_actor {
	const char *module;    /* as above */
	const char *user_name; /* "" when nobody is known */
	const char *peer;      /* numeric address, "local", "" */
	/* How that is known: "password", "certificate", "session", "local" (the
	 * control socket), "" */
	const char *via;
};

/* A number as the value of a field; lives as long as the block it stands in. */
enum { AUDIT_NUMBER_SIZE = 24 };
#define AUDIT_NUMBER(n) \
	audit_number((int64_t)(n), (char[AUDIT_NUMBER_SIZE]){ 0 })
const char *audit_number(int64_t n, char out[AUDIT_NUMBER_SIZE]);

struct audit;

enum {
	AUDIT_VALUE_MAX = 400,     /* bytes of a value */
	AUDIT_DETAIL_MAX = 4608,   /* bytes, with room for any fields */
	AUDIT_RECORDS_MAX = 100000 /* kept; older ones go */
};

/* Reads the end of the chain; the store must outlive it. */
struct audit *audit_new(struct store *s, struct error *e) MUST_CHECK;
void audit_free(struct audit *a);

/* Append one record, what = AUDIT(...). Values are cut at AUDIT_VALUE_MAX;
 * bytes that are no UTF-8 become '?', control characters spaces: names of
 * failed log-ins come from strangers. On a full disk it takes the
 * room of the reserve. Records that strangers cause in masses are not all
 * written (audit_meter.h): 0 all the same. A failure is for the caller to
 * decide about; it is also counted and shown in the log. */
int audit_append(struct audit *a, struct audit_what what,
		 const struct audit_actor *actor, struct error *e);

/* Tell by a record each how many were not written: those whose minute is over,
 * at the end (all) whatever there is. To be called now and then. */
void audit_tell_suppressed(struct audit *a, bool all);

/* Is there room for a change and its records? To be asked before a change
 * begins; reading and log-ins go on without. ERR_FULL: no, the text names the
 * file system and the cure. The reserve that the last records of a full disk
 * are written from is made here, at the start and whenever there is room. */
int audit_ready(struct audit *a, struct error *e) MUST_CHECK;

/* To be called now and then: the reserve is made again once there is room. */
void audit_keep_reserve(struct audit *a);

/* Records with an index smaller than before go, and the trail begins after
 * them. Works on a full disk, with the room of the reserve; what is freed is
 * given back by store_shrink(), after the record of the deletion. *deleted
 * counts what is gone: 0 when -1 is returned. ERR_CONFLICT: the trail is
 * damaged so that the rest would have no beginning. */
int audit_delete(struct audit *a, uint64_t before, uint64_t *deleted,
		 struct error *e) MUST_CHECK;

/* Records that could not be written since audit_new(). */
uint64_t audit_lost(struct audit *a);

/* A number of records or of one of them where 32 bits must do, as in XML-RPC:
 * the greatest one instead of what does not fit, which we never gave out. */
static inline int32_t audit_int(uint64_t n)
{
	return n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

/* What is wrong with a trail. */
enum audit_reason {
	AUDIT_INTACT,
	AUDIT_BROKEN_CHANGED,   /* a content that does not fit its hash */
	AUDIT_BROKEN_MISSING,   /* a number without a record */
	AUDIT_BROKEN_INSERTED,  /* a record that was never given that number */
	AUDIT_BROKEN_MOVED,     /* a content that belongs to another number */
	AUDIT_BROKEN_REWRITTEN, /* a sound chain that is not the signed one */
	AUDIT_BROKEN_HEAD_SIGNATURE, /* a head that the audit key never signed
				      */
	AUDIT_BROKEN_ROLLED_BACK,    /* older than the head in the token */
	AUDIT_BROKEN_END,        /* where it begins or ends is noted wrongly */
	AUDIT_BROKEN_UNREADABLE, /* nothing that we could have written */
	AUDIT_REASON_COUNT
};
/* "", "changed", "missing", "inserted", "moved", "rewritten", "headSignature",
 * "rolledBack", "end", "unreadable". */
const char *audit_reason_name(enum audit_reason r);
/* A sentence for a person about that record into out; "" for AUDIT_INTACT. */
enum { AUDIT_PROBLEM_MAX = 320 };
void audit_reason_sentence(enum audit_reason r, uint64_t number,
			   char out[AUDIT_PROBLEM_MAX]);

/* Can it be that an older state of the database was put back? */
enum audit_rollback {
	AUDIT_ROLLBACK_RULED_OUT,
	AUDIT_ROLLBACK_TOKEN_UNAVAILABLE, /* the token cannot be asked now */
	AUDIT_ROLLBACK_NOT_SUPPORTED,     /* the token keeps no head */
	AUDIT_ROLLBACK_DETECTED
};
/* "ruledOut", "tokenUnavailable", "notSupported", "detected". */
const char *audit_rollback_name(enum audit_rollback r);

struct audit_verdict {
	bool intact;
	uint64_t checked;      /* records that are right, from the first on */
	uint64_t first_broken; /* index of the record, 0 when intact */
	enum audit_reason reason;
	char problem[AUDIT_PROBLEM_MAX]; /* a sentence, "" when intact */
	uint64_t heads;                  /* signed heads that were checked */
	uint64_t signed_up_to;           /* record of the newest of them, 0 */
	enum audit_rollback rollback;
};

/* Read the whole chain: changed, missing, moved and added records show, also at
 * either end. Who can make all of it anew is found out by
 * audit_heads_verify(). Others may append meanwhile. Errors: those of the
 * store. */
int audit_verify(struct audit *a, struct audit_verdict *out,
		 struct error *e) MUST_CHECK;

struct audit_record {
	uint64_t index;
	time_t time;
	const char *module, *severity, *user_name, *peer;
	const char *via; /* how the user is known, "" in format 1 */
	const char *event;
	const char *fields;  /* as stored, "" in format 1 */
	const char *detail;  /* a line for a person */
	int format;          /* 1: a text; 2: fields */
	const uint8_t *hash; /* SHA256_SIZE bytes */
};

/* Called with each record once it is on disk, on the thread that appends it,
 * several at the same time and not always in the order of their indices: it
 * must not block, and appends nothing. */
typedef void audit_listener_fn(void *arg, const struct audit_record *r);
enum { AUDIT_LISTENERS_MAX = 2 };
/* -1: there are so many already. */
int audit_add_listener(struct audit *a, audit_listener_fn *fn,
		       void *arg) MUST_CHECK;
/* The pair that was added; unknown ones are fine. No call of it runs any more
 * then. */
void audit_remove_listener(struct audit *a, audit_listener_fn *fn, void *arg);

/* The oldest and the newest record kept; *last_out < *first_out: none. */
int audit_range(struct audit *a, uint64_t *first_out, uint64_t *last_out,
		struct error *e) MUST_CHECK;

/* Which records: those with all of these marks. */
struct audit_selection {
	uint64_t from, to;   /* indices, both included; to 0: no end */
	time_t since, until; /* both included; 0: no end */
	size_t count;        /* at most */
	bool newest_first;   /* from the greatest index down */
};

/* Those records in order. No more is read than is handed out, a page of some
 * hundred records at a time. each() is called without a lock; its -1 ends the
 * walk and is returned. */
int audit_read(struct audit *a, const struct audit_selection *what,
	       int (*each)(void *arg, const struct audit_record *r,
			   struct error *e),
	       void *arg, struct error *e) MUST_CHECK;
/* The same for records with index >= from, upward. */
int audit_each(struct audit *a, uint64_t from, size_t count,
	       int (*each)(void *arg, const struct audit_record *r,
			   struct error *e),
	       void *arg, struct error *e) MUST_CHECK;

#endif
