/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_xml_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_front.h"
#include "audit/audit_walk.h"
#include "base/clock.h"
#include "base/key_pem.h"

struct check {
	struct audit_walk walk;
	const struct public_key *key;
	struct audit_xml_verdict *out;
	bool more; /* the walk wants the next record */

	/* The record before, by its own words. */
	uint64_t number;
	uint8_t hash[SHA256_SIZE];

	struct audit_head head; /* the one before; counter 0: none */
	uint64_t deleted;       /* up to there, by records of deletions */
};

/* The first fault in the order of the document stands. */
static bool is_decided(const struct check *c)
{
	return c->walk.reason != AUDIT_INTACT || c->out->reason != AUDIT_INTACT;
}

__attribute__((format(printf, 4, 5))) static void fault(struct check *c,
							enum audit_reason r,
							uint64_t record,
							const char *fmt, ...)
{
	va_list ap;

	c->out->reason = r;
	c->out->broken = record;
	va_start(ap, fmt);
	vsnprintf(c->out->problem, sizeof(c->out->problem), fmt, ap);
	va_end(ap);
}

/* --- the document and its records --- */

static bool is_other_key(const struct public_key *given, const char *pem)
{
	struct error e = ERROR_INIT;
	struct public_key named;

	return public_key_from_pem(view_str(pem), &named, &e) < 0 ||
	       !public_key_equal(given, &named);
}

static int on_document(void *arg, const struct audit_document *d,
		       struct error *e)
{
	struct check *c = arg;

	(void)e;
	c->out->first = d->first;
	c->out->last = d->last;
	c->out->exported = d->exported;
	snprintf(c->out->host_name, sizeof(c->out->host_name), "%s",
		 d->host_name);
	c->out->names_other_key = c->key && is_other_key(c->key, d->public_key);
	audit_walk_begin(&c->walk, d->first, d->anchor);
	audit_walk_to(&c->walk, d->last, NULL);
	c->number = d->first - 1;
	memcpy(c->hash, d->anchor, SHA256_SIZE);
	c->more = true;
	return 0;
}

static int on_record(void *arg, const struct audit_row *r, struct error *e)
{
	struct check *c = arg;
	uint64_t deleted;

	(void)e;
	if (c->more && c->out->reason == AUDIT_INTACT)
		c->more = audit_walk_record(&c->walk, r);
	c->number = r->number;
	memcpy(c->hash, r->hash, SHA256_SIZE);
	deleted = audit_front_deleted(r->event, r->detail);
	if (deleted > c->deleted)
		c->deleted = deleted;
	return 0;
}

/* --- heads --- */

static uint64_t in_doubt(const struct check *c)
{
	return c->out->signed_up_to >= c->out->first ? c->out->signed_up_to + 1
						     : c->out->first;
}

static bool is_in_place(struct check *c, const struct audit_head *h)
{
	if (h->record > c->number)
		fault(c, AUDIT_BROKEN_MISSING, c->number + 1,
		      "Record %" PRIu64 " is missing: head %" PRIu64
		      ", which attests records up to %" PRIu64
		      ", stands before it.",
		      c->number + 1, h->counter, h->record);
	else if (h->record < c->number || h->counter <= c->head.counter)
		fault(c, AUDIT_BROKEN_MOVED, in_doubt(c),
		      "Head %" PRIu64 " at record %" PRIu64
		      " does not stand where it belongs.",
		      h->counter, h->record);
	else if (c->head.counter && h->counter != c->head.counter + 1)
		fault(c, AUDIT_BROKEN_MISSING, in_doubt(c),
		      "The heads between %" PRIu64 " and %" PRIu64
		      " are missing.",
		      c->head.counter, h->counter);
	else
		return true;
	return false;
}

static bool is_signed(struct check *c, const struct audit_head *h)
{
	struct error e = ERROR_INIT;

	if (memcmp(h->key_id, c->key->id, SHA1_SIZE) != 0)
		fault(c, AUDIT_BROKEN_HEAD_SIGNATURE, in_doubt(c),
		      "Head %" PRIu64 " at record %" PRIu64
		      " is signed by another key than the one given.",
		      h->counter, h->record);
	else if (audit_head_check(h, c->key, &e) < 0)
		fault(c, AUDIT_BROKEN_HEAD_SIGNATURE, in_doubt(c),
		      "The signature of head %" PRIu64 " at record %" PRIu64
		      " does not fit: the head was changed, or made by others.",
		      h->counter, h->record);
	else
		return true;
	return false;
}

/* The signature is good: what it says counts. */
static bool fits_records(struct check *c, const struct audit_head *h)
{
	char when[CLOCK_ISO8601_SIZE];

	if (memcmp(h->hash, c->hash, SHA256_SIZE) == 0)
		return true;
	clock_format_rfc3339((time_t)h->at, when);
	fault(c, AUDIT_BROKEN_REWRITTEN, in_doubt(c),
	      "The records from %" PRIu64 " to %" PRIu64
	      " are not those that were signed on %s (head %" PRIu64 ").",
	      in_doubt(c), h->record, when, h->counter);
	return false;
}

static int on_head(void *arg, const struct audit_head *h, struct error *e)
{
	struct check *c = arg;

	(void)e;
	if (!c->key || is_decided(c) || !is_in_place(c, h) ||
	    !is_signed(c, h) || !fits_records(c, h))
		return 0;
	c->out->heads++;
	c->out->head_counter = h->counter;
	c->out->signed_up_to = h->record;
	c->head = *h;
	return 0;
}

/* --- the end --- */

/* What no record and no head shows by itself. */
static void check_whole(struct check *c)
{
	struct audit_xml_verdict *out = c->out;

	if (!audit_front_is_fair(out->first, out->checked, c->deleted)) {
		out->reason = AUDIT_BROKEN_MISSING;
		audit_front_blame(out->first, c->deleted, &out->broken,
				  out->problem);
	} else if (c->key && !out->heads) {
		fault(c, AUDIT_BROKEN_HEAD_SIGNATURE, out->first,
		      "There is no signed head, so that nothing attests the "
		      "records.");
	}
}

static void finish(struct check *c)
{
	struct audit_xml_verdict *out = c->out;

	out->checked = c->walk.checked;
	out->uncovered =
	    c->number > out->signed_up_to ? c->number - in_doubt(c) + 1 : 0;
	if (out->reason != AUDIT_INTACT)
		return;
	out->reason = c->walk.reason;
	out->broken = c->walk.broken;
	audit_reason_sentence(out->reason, out->broken, out->problem);
	if (out->reason == AUDIT_INTACT)
		check_whole(c);
}

static int again_document(void *arg, const struct audit_document *d,
			  struct error *e)
{
	(void)arg, (void)d, (void)e;
	return 0;
}

static int again_record(void *arg, const struct audit_row *r, struct error *e)
{
	struct check *c = arg;

	(void)e;
	audit_walk_again(&c->walk, r);
	return 0;
}

static int again_head(void *arg, const struct audit_head *h, struct error *e)
{
	(void)arg, (void)h, (void)e;
	return 0;
}

static int look(FILE *in, struct check *c, struct error *e)
{
	const struct audit_xml_events first = { on_document, on_record, on_head,
						c },
				      second = { again_document, again_record,
						 again_head, c };

	if (audit_xml_read(in, &first, e) < 0)
		return -1;
	if (c->out->reason == AUDIT_INTACT) {
		audit_walk_end(&c->walk);
		if (c->walk.doubtful) {
			if (fseek(in, 0, SEEK_SET) != 0)
				return error_errno(e, "reading again");
			if (audit_xml_read(in, &second, e) < 0)
				return -1;
			audit_walk_decide(&c->walk);
		}
	}
	finish(c);
	return 0;
}

int audit_xml_check(FILE *in, const struct public_key *key,
		    struct audit_xml_verdict *out, struct error *e)
{
	struct check *c = calloc(1, sizeof(*c));
	int rc;

	memset(out, 0, sizeof(*out));
	if (!c)
		return error_nomem(e);
	c->key = key;
	c->out = out;
	rc = look(in, c, e);
	free(c);
	return rc;
}
