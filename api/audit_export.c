/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/audit_export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit_xml.h"
#include "api/device_info.h"
#include "audit/audit_heads.h"
#include "base/clock.h"
#include "base/key_pem.h"
#include "base/log.h"
#include "store/audit_head_rows.h"

enum { BEGIN_TRIES = 5 };

/* Heads of the records of a piece, in order, and which comes next. */
struct heads {
	struct audit_head *list;
	size_t count, room, next;
};

struct piece {
	struct buf *out;
	struct heads heads;
	struct audit_chain chain; /* as it was at first */
	uint64_t from, last, next;
};

/* --- heads --- */

static int keep_head(void *arg, const struct audit_head *h, struct error *e)
{
	struct heads *heads = arg;

	if (heads->count == heads->room) {
		size_t room = heads->room ? 2 * heads->room : 16;
		struct audit_head *list =
		    reallocarray(heads->list, room, sizeof(*list));

		if (!list)
			return error_nomem(e);
		heads->list = list;
		heads->room = room;
	}
	heads->list[heads->count++] = *h;
	return 0;
}

/* Those up to that record that are not written yet. */
static int write_heads(struct piece *p, uint64_t record, struct error *e)
{
	struct heads *heads = &p->heads;

	for (; heads->next < heads->count &&
	       heads->list[heads->next].record <= record;
	     heads->next++)
		if (audit_xml_head(p->out, &heads->list[heads->next], e) < 0)
			return -1;
	return 0;
}

/* --- the beginning --- */

/* A document without the newest head is worth having, too: while the token is
 * away there is none. */
static void sign(struct audit_heads *heads)
{
	struct error e = ERROR_INIT;

	if (audit_heads_sign(heads, &e) < 0)
		log_failure(LOG_LEVEL_WARNING, "audit", &e);
}

static int describe(const struct call *c, const struct piece *p,
		    struct audit_document *d, struct buf *pem, struct error *e)
{
	struct audit_heads_info info;

	if (audit_heads_info(c->services->heads, &info, e) < 0)
		return -1;
	d->first = p->from;
	d->last = p->last;
	memcpy(d->anchor, p->chain.anchor, sizeof(d->anchor));
	d->exported = clock_now();
	d->has_key = info.has_key;
	if (info.has_key) {
		memcpy(d->key_id, info.key.id, sizeof(d->key_id));
		if (public_key_to_pem(&info.key, pem, e) < 0)
			return -1;
	}
	d->public_key = buf_cstr(pem);
	return 0;
}

static int begin(const struct call *c, struct piece *p, struct error *e)
{
	char host_name[DEVICE_HOST_SIZE];
	struct audit_document d = { .host_name = host_name };
	struct buf pem;
	int rc;

	device_host_name(c->services->config->host_name, host_name);
	buf_init(&pem, PUBLIC_KEY_PEM_MAX);
	rc = describe(c, p, &d, &pem, e);
	if (rc == 0)
		rc = audit_xml_begin(p->out, &d, e);
	buf_free(&pem);
	return rc < 0 ? -1 : write_heads(p, p->from - 1, e);
}

/* --- records --- */

static int add_record(void *arg, const struct audit_record *r, struct error *e)
{
	struct piece *p = arg;

	if (p->out->len > AUDIT_EXPORT_BYTES) {
		p->next = r->index;
		return error_set(e, ERR_CANCELLED, "the piece is full");
	}
	/* Where the record of a head is missing, the head stands behind the
	 * one before. */
	if (write_heads(p, r->index - 1, e) < 0 ||
	    audit_xml_record(p->out, r, e) < 0)
		return -1;
	return write_heads(p, r->index, e);
}

static int add_records(const struct call *c, struct piece *p, struct error *e)
{
	const struct audit_selection what = {
		.from = p->from,
		.to = p->next ? p->next - 1 : p->last,
		.count = AUDIT_EXPORT_RECORDS,
	};

	if (p->from > p->last)
		return 0;
	if (audit_read(c->services->audit, &what, add_record, p, e) < 0) {
		if (e->kind != ERR_CANCELLED)
			return -1;
		error_clear(e);
		return 0;
	}
	return write_heads(p, what.to, e);
}

/* Which records: p->from to p->last, and where the next piece begins. */
static int choose(const struct call *c, const struct audit_export *what,
		  struct piece *p, struct error *e)
{
	if (store_audit_chain(c->services->store, &p->chain, e) < 0)
		return -1;
	p->from = what->from ? what->from : p->chain.first;
	p->last = p->chain.last;
	if (what->to && what->to < p->last)
		p->last = what->to;
	if (p->from <= p->last && p->last - p->from >= AUDIT_EXPORT_RECORDS)
		p->next = p->from + AUDIT_EXPORT_RECORDS;
	return 0;
}

/* Nothing of the piece was removed while it was written. */
static int check_front(const struct call *c, const struct piece *p,
		       struct error *e)
{
	struct audit_chain now;

	if (store_audit_chain(c->services->store, &now, e) < 0)
		return -1;
	if (now.first <= p->from)
		return 0;
	return error_set(e, ERR_CONFLICT,
			 "the records before %" PRIu64
			 " were deleted meanwhile; begin again",
			 now.first);
}

static int write_piece(const struct call *c, const struct audit_export *what,
		       struct piece *p, struct error *e)
{
	int rc = choose(c, what, p, e);

	/* Behind the record before the first one stands what attests it. */
	if (rc == 0)
		rc = audit_heads_each(
		    c->services->heads, what->from ? p->from : p->from - 1,
		    p->next ? p->next - 1 : p->last, keep_head, &p->heads, e);
	if (rc == 0 && !what->from)
		rc = begin(c, p, e);
	if (rc == 0)
		rc = add_records(c, p, e);
	if (rc == 0 && !p->next)
		rc = audit_xml_end(p->out, e);
	free(p->heads.list);
	return rc < 0 ? -1 : check_front(c, p, e);
}

int audit_export_piece(const struct call *c, const struct audit_export *what,
		       struct buf *out, uint64_t *next_out, uint64_t *last_out,
		       struct error *e)
{
	struct piece p = { .out = out };
	int tries = what->from ? 1 : BEGIN_TRIES, rc;

	if (!what->from)
		sign(c->services->heads);
	/* In a full trail the oldest record goes with each new one. */
	while ((rc = write_piece(c, what, &p, e)) < 0 &&
	       e->kind == ERR_CONFLICT && --tries) {
		error_clear(e);
		buf_clear(out);
		p = (struct piece){ .out = out };
	}
	*next_out = p.next;
	*last_out = p.last;
	return rc;
}
