/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "api/audit_export.h"
#include "api/audit_search.h"
#include "api/audit_view.h"
#include "audit/audit_front.h"
#include "audit/audit_heads.h"
#include "base/clock.h"
#include "base/key_pem.h"
#include "base/log.h"
#include "store/audit_rows.h"

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct log_page page = log_page_of(c);
	struct value *s = value_new_struct();

	if (audit_filter_check(page.filter, e) == 0 &&
	    audit_search(c->services->audit, &page, s, e) == 0)
		return s;
	value_free(s);
	return NULL;
}

static int put_heads(struct call *c, struct value *s, struct error *e)
{
	struct audit_heads_info info;
	char key_id[2 * SHA1_SIZE + 1] = "";
	struct buf pem;
	int rc = 0;

	if (audit_heads_info(c->services->heads, &info, e) < 0)
		return -1;
	buf_init(&pem, PUBLIC_KEY_PEM_MAX);
	if (info.has_key) {
		rc = public_key_to_pem(&info.key, &pem, e);
		hex_encode(info.key.id, sizeof(info.key.id), key_id);
	}
	value_put_int(s, "headCounter", (int32_t)info.newest.counter);
	value_put_int(s, "headIndex", (int32_t)info.newest.record);
	value_put_time(s, "headTime", (time_t)info.newest.at);
	value_put_int(s, "unsigned", (int32_t)info.unattested);
	value_put_string(s, "publicKey", buf_cstr(&pem));
	value_put_string(s, "keyId", key_id);
	buf_free(&pem);
	return rc;
}

static void put_readiness(struct call *c, struct value *s)
{
	struct error e = ERROR_INIT;
	bool ready = audit_ready(c->services->audit, &e) == 0;

	value_put_boolean(s, "writable", ready);
	value_put_string(s, "problem", ready ? "" : e.text);
}

static struct value *query(struct call *c, struct error *e)
{
	uint64_t first, last, count;
	struct value *s;

	if (audit_range(c->services->audit, &first, &last, e) < 0)
		return NULL;
	count = last >= first ? last - first + 1 : 0;
	s = value_new_struct();
	value_put_int(s, "firstIndex", (int32_t)first);
	value_put_int(s, "lastIndex", (int32_t)last);
	value_put_int(s, "numEvents", (int32_t)count);
	value_put_int(s, "deleteableIndex", (int32_t)last);
	value_put_int(s, "percentageCapacity",
		      (int32_t)(count * 100 / AUDIT_RECORDS_MAX));
	value_put_int(s, "lost", (int32_t)audit_lost(c->services->audit));
	put_readiness(c, s);
	audit_put_events(value_put_array(s, "events"));
	if (put_heads(c, s, e) == 0)
		return s;
	value_free(s);
	return NULL;
}

/* The head that attests what goes. A full disk has no room for it yet, and this
 * is how room is made. */
static int sign_before(struct call *c, struct error *e)
{
	if (audit_heads_sign(c->services->heads, e) == 0)
		return 0;
	if (e->kind != ERR_FULL && e->kind != ERR_KEY_UNSUPPORTED)
		return error_prefix(e, "nothing was deleted: the records could "
				       "not be signed before");
	error_clear(e);
	return 0;
}

/* And the one that attests the deletion itself. The record before has taken the
 * room that is kept for a full disk. */
static void sign_deletion(struct call *c)
{
	struct error e = ERROR_INIT;

	if (audit_heads_sign(c->services->heads, &e) < 0)
		log_failure(LOG_LEVEL_WARNING, "audit", &e);
}

/* The record comes first: what goes without one is missing. */
static int delete_up_to(struct call *c, uint64_t first, uint64_t last,
			uint64_t *deleted, struct error *e)
{
	if (sign_before(c, e) < 0)
		return -1;
	call_audit(c, AUDIT(AUDIT_LOG_DELETED,
			    .deleted = AUDIT_NUMBER(last - first + 1),
			    .first = AUDIT_NUMBER(first),
			    .last = AUDIT_NUMBER(last)));
	if (c->unrecorded->kind != ERR_NONE) {
		*e = *c->unrecorded;
		return -1;
	}
	sign_deletion(c);
	if (audit_delete(c->services->audit, last + 1, deleted, e) < 0)
		return -1;
	if (store_shrink(c->services->store, e) < 0)
		log_failure(LOG_LEVEL_WARNING, "audit", e);
	error_clear(e);
	return 0;
}

static struct value *delete_records(struct call *c, struct error *e)
{
	int32_t index = value_int(value_member(c->params, "deleteIndex"));
	uint64_t first, last, deleted = 0;
	struct value *s;

	if (audit_range(c->services->audit, &first, &last, e) < 0)
		return NULL;
	if ((uint64_t)index <= last)
		last = (uint64_t)index - 1;
	if (index > 0 && first <= last &&
	    delete_up_to(c, first, last, &deleted, e) < 0)
		return NULL;
	s = value_new_struct();
	value_put_int(s, "deleted", (int32_t)deleted);
	return s;
}

static struct value *verify(struct call *c, struct error *e)
{
	struct audit_verdict v;
	struct value *s;

	if (audit_heads_verify(c->services->heads, c->services->audit, &v, e) <
		0 ||
	    audit_front_verify(c->services->audit, &v, e) < 0)
		return NULL;
	/* Heads that are not there tell of it, too. */
	if (v.reason == AUDIT_BROKEN_ROLLED_BACK)
		v.rollback = AUDIT_ROLLBACK_DETECTED;
	s = value_new_struct();
	value_put_boolean(s, "intact", v.intact);
	value_put_int(s, "checked", (int32_t)v.checked);
	value_put_int(s, "firstBroken", audit_int(v.first_broken));
	value_put_string(s, "reason", audit_reason_name(v.reason));
	value_put_string(s, "problem", v.problem);
	value_put_int(s, "heads", (int32_t)v.heads);
	value_put_int(s, "signedUpTo", (int32_t)v.signed_up_to);
	value_put_string(s, "rollback", audit_rollback_name(v.rollback));
	return s;
}

static struct value *export_piece(struct call *c, struct error *e)
{
	const struct audit_export what = {
		.from = (uint64_t)value_int(value_member(c->params, "from")),
		.to = (uint64_t)value_int(value_member(c->params, "to")),
	};
	struct value *s = NULL;
	uint64_t next, last;
	struct buf xml;

	buf_init(&xml, AUDIT_EXPORT_MAX);
	if (audit_export_piece(c, &what, &xml, &next, &last, e) == 0) {
		s = value_new_struct();
		value_put(s, "xml", value_new_text(buf_view(&xml)));
		value_put_int(s, "next", (int32_t)next);
		value_put_int(s, "last", (int32_t)last);
	}
	buf_free(&xml);
	return s;
}

static const struct param enumerate_rows[] = {
	{ LOG_PAGE_INDEX("record") },
	{ LOG_PAGE_COUNT },
	{ LOG_PAGE_DIRECTION },
	{ LOG_PAGE_FILTER("record", audit_filter_rows) },
	{ 0 },
};

static const struct param delete_rows[] = {
	{ .name = "deleteIndex",
	  .type = VALUE_INT,
	  .required = true,
	  .least = 0,
	  .most = INT32_MAX,
	  .help = "Records with a smaller index go." },
	{ 0 },
};

static const struct param export_rows[] = {
	{ .name = "from",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = INT32_MAX,
	  .help = "Left out in the call that begins the document; then the "
		  "\"next\" of the call before." },
	{ .name = "to",
	  .type = VALUE_INT,
	  .least = 1,
	  .most = INT32_MAX,
	  .help = "The last record of the document; default the newest. Then "
		  "the \"last\" of the first call." },
	{ 0 },
};

const struct method methods_audit[] = {
	{ "auditlog.enumerate", PRIVILEGE_ADMINISTRATOR, 0, enumerate_rows,
	  enumerate,
	  "events array of index, time, module, severity, userName, peer, via, "
	  "event, label, detail, fields struct, format int, hash; "
	  "eventsRemaining boolean, nextIndex int",
	  "Records of the audit trail, oldest first unless asked otherwise; "
	  "while eventsRemaining, the next batch begins at nextIndex." },
	{ "auditlog.query", PRIVILEGE_ADMINISTRATOR, 0, NULL, query,
	  "firstIndex, lastIndex, numEvents, deleteableIndex, "
	  "percentageCapacity, headCounter, headIndex int, headTime time, "
	  "unsigned int, publicKey, keyId, lost int, writable boolean, "
	  "problem, events array of event, severity, label",
	  "How much is in the audit trail, up to where it is signed and with "
	  "which key, whether records can be written, and which events there "
	  "are." },
	{ "auditlog.delete", PRIVILEGE_ADMINISTRATOR,
	  METHOD_CHANGES | METHOD_WITHOUT_ROOM, delete_rows, delete_records,
	  "deleted int",
	  "Delete the oldest records. What is left stays verifiable: a head is "
	  "signed before, and the deletion leaves a record." },
	{ "auditlog.verify", PRIVILEGE_ADMINISTRATOR, 0, NULL, verify,
	  "intact boolean, checked, firstBroken int, reason: \"\", changed, "
	  "missing, inserted, moved, rewritten, headSignature, rolledBack, end "
	  "or unreadable, problem, heads, signedUpTo int, rollback: ruledOut, "
	  "tokenUnavailable, notSupported or detected",
	  "Check the chain of the audit trail and the signed heads, and "
	  "whether an older database was put back." },
	{ "auditlog.export", PRIVILEGE_ADMINISTRATOR, 0, export_rows,
	  export_piece, "xml, next int (0: that was the last piece), last int",
	  "A piece of the audit trail as an XML document, which "
	  "sealbridgectl(1) verifies anywhere. The pieces joined are the "
	  "document. A call without \"from\" begins it." },
	{ 0 },
};
