/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include "api/audit_certificate.h"
#include "api/key_value.h"
#include "api/lock_out.h"
#include "base/clock.h"

/* trustStore.*: one method for all three stores, named by trustStore. */

static enum trust_store_id store_of(const struct call *c)
{
	enum trust_store_id id = TRUST_HTTPS;

	/* The row's choices let nothing else through. */
	(void)trust_store_from_name(
	    value_string(value_member(c->params, "trustStore")), &id);
	return id;
}

/* --- query, examine --- */

static void put_marks(struct value *out, const struct cert *c)
{
	unsigned marks = trust_marks(c, clock_now());
	struct value *list = value_put_array(out, "marks");

	for (unsigned i = 0; i < TRUST_MARK_COUNT; i++)
		if (marks & (1u << i))
			value_add_string(list,
					 trust_mark_name((enum trust_mark)i));
}

static int put_certificates(struct value *out, const struct cert_list *l,
			    struct error *e)
{
	struct value *list = value_put_array(out, "certificates");

	for (size_t i = 0; i < l->count; i++) {
		struct value *s = value_add_struct(list);

		if (cert_to_value(l->items[i], s, e) < 0)
			return -1;
		put_marks(s, l->items[i]);
	}
	return 0;
}

static void put_progress(struct value *out, const struct trust_progress *p)
{
	struct value *s;

	if (!p->running)
		return;
	s = value_put_struct(out, "progress");
	value_put_int(s, "done", (int32_t)p->done);
	value_put_int(s, "total", (int32_t)p->total);
}

struct trust_snapshot *call_trust_snapshot(const struct call *c,
					   enum trust_store_id id,
					   struct error *e)
{
	struct trust_snapshot *now = trust_snapshot(c->services->trust, id);
	struct token_info info;

	if (now)
		return now;
	token_get_info(c->services->token, &info);
	error_set(e, ERR_TOKEN,
		  "the %s has not been read from the token since the start%s%s",
		  trust_store_title(id), info.reason[0] ? ": " : "",
		  info.reason);
	return NULL;
}

/* ERR_TOKEN: not read yet. */
static int put_store(const struct call *c, enum trust_store_id id,
		     struct value *out, struct error *e)
{
	struct trust_snapshot *now = call_trust_snapshot(c, id, e);
	struct trust_progress progress;
	int rc;

	if (!now)
		return -1;
	trust_get_progress(c->services->trust, id, &progress);
	value_put_string(out, "source", trust_source_name(now->source));
	if (now->problem[0])
		value_put_string(out, "problem", now->problem);
	put_progress(out, &progress);
	rc = put_certificates(out, &now->certificates, e);
	trust_snapshot_unref(now);
	return rc;
}

static int put_all_stores(const struct call *c, struct value *out,
			  struct error *e)
{
	struct value *list = value_put_array(out, "stores");

	for (unsigned i = 0; i < TRUST_STORE_COUNT; i++) {
		enum trust_store_id id = (enum trust_store_id)i;
		struct error why = ERROR_INIT;
		struct value *s = value_add_struct(list);

		value_put_string(s, "trustStore", trust_store_name(id));
		if (put_store(c, id, s, &why) == 0)
			continue;
		if (why.kind != ERR_TOKEN) {
			*e = why;
			return -1;
		}
		value_put_string(s, "unread", why.text);
	}
	return 0;
}

static struct value *query(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();
	int rc = value_member(c->params, "trustStore")
		     ? put_store(c, store_of(c), s, e)
		     : put_all_stores(c, s, e);

	if (rc < 0) {
		value_free(s);
		s = NULL;
	}
	return s;
}

static struct value *progress(struct call *c, struct error *e)
{
	struct trust_progress p;
	struct value *s = value_new_struct();

	(void)e;
	trust_get_progress(c->services->trust, store_of(c), &p);
	value_put_boolean(s, "running", p.running);
	value_put_int(s, "done", (int32_t)p.done);
	value_put_int(s, "total", (int32_t)p.total);
	return s;
}

static void put_difference(struct value *out, size_t count,
			   const struct trust_difference *d)
{
	value_put_int(out, "count", (int32_t)count);
	value_put_int(out, "added", (int32_t)d->added);
	value_put_int(out, "removed", (int32_t)d->removed);
	value_put_int(out, "kept", (int32_t)d->kept);
}

static struct view bundle_of(const struct call *c)
{
	return value_bytes(value_member(c->params, "certificates"));
}

static struct value *examine(struct call *c, struct error *e)
{
	struct trust_difference difference;
	struct cert_list list;
	struct value *s;

	if (trust_store_examine(c->services->trust, store_of(c), bundle_of(c),
				&list, &difference, e) < 0)
		return NULL;
	s = value_new_struct();
	put_difference(s, list.count, &difference);
	if (put_certificates(s, &list, e) < 0) {
		value_free(s);
		s = NULL;
	}
	cert_list_free(&list);
	return s;
}

/* --- changes --- */

static struct value *failed(struct call *c, const char *what,
			    const struct error *e)
{
	c->failure_told = true;
	call_audit(c, AUDIT(TRUST_STORE_CHANGE_FAILED,
			    .trustStore = trust_store_name(store_of(c)),
			    .action = what, .reason = e->text));
	return NULL;
}

/* What came and went, for the record. */
struct exchange {
	struct trust_snapshot *former;
	char added[AUDIT_LIST_SIZE], removed[AUDIT_LIST_SIZE];
};

static void exchange_done(const struct call *c, enum trust_store_id id,
			  struct exchange *x)
{
	struct trust_snapshot *now = trust_snapshot(c->services->trust, id);
	const struct cert_list *a = x->former ? &x->former->certificates : NULL;
	const struct cert_list *b = now ? &now->certificates : NULL;

	audit_list_difference(b, a, x->added);
	audit_list_difference(a, b, x->removed);
	trust_snapshot_unref(now);
}

static struct value *upload(struct call *c, struct error *e)
{
	struct trust *trust = c->services->trust;
	enum trust_store_id id = store_of(c);
	struct exchange x = { .former = trust_snapshot(trust, id) };
	struct trust_difference d;
	struct value *s = NULL;
	size_t count;

	if (trust_store_replace(trust, id, bundle_of(c), &count, &d, e) < 0) {
		failed(c, "upload", e);
		goto out;
	}
	exchange_done(c, id, &x);
	call_audit(
	    c,
	    AUDIT(TRUST_STORE_UPLOADED, .trustStore = trust_store_name(id),
		  .count = AUDIT_NUMBER(count), .added = AUDIT_NUMBER(d.added),
		  .removed = AUDIT_NUMBER(d.removed),
		  .kept = AUDIT_NUMBER(d.kept), .addedFingerprints = x.added,
		  .removedFingerprints = x.removed));
	s = result_ok();
	put_difference(s, count, &d);
out:
	trust_snapshot_unref(x.former);
	return s;
}

static struct value *delete_store(struct call *c, struct error *e)
{
	struct trust *trust = c->services->trust;
	enum trust_store_id id = store_of(c);
	struct exchange x;
	size_t removed;
	int rc;

	if (id == TRUST_HTTPS &&
	    !value_boolean(value_member(c->params, "force")) &&
	    lock_out_check_no_trust(c, e) < 0)
		return failed(c, "deletion", e);
	x.former = trust_snapshot(trust, id);
	rc = trust_store_delete(trust, id, &removed, e);
	if (rc == 0) {
		exchange_done(c, id, &x);
		call_audit(c, AUDIT(TRUST_STORE_DELETED,
				    .trustStore = trust_store_name(id),
				    .removed = AUDIT_NUMBER(removed),
				    .removedFingerprints = x.removed));
	}
	trust_snapshot_unref(x.former);
	return rc < 0 ? failed(c, "deletion", e) : result_ok();
}

static struct value *reset(struct call *c, struct error *e)
{
	struct trust *trust = c->services->trust;
	enum trust_store_id id = store_of(c);
	struct exchange x = { .former = trust_snapshot(trust, id) };
	size_t count;
	int rc = trust_store_reset(trust, id, &count, e);

	if (rc == 0) {
		exchange_done(c, id, &x);
		call_audit(c, AUDIT(TRUST_STORE_RESET,
				    .trustStore = trust_store_name(id),
				    .count = AUDIT_NUMBER(count),
				    .addedFingerprints = x.added,
				    .removedFingerprints = x.removed));
	}
	trust_snapshot_unref(x.former);
	return rc < 0 ? failed(c, "reset", e) : result_ok();
}

/* --- rows --- */

#define STORE_ROW(names, needed)                                       \
	{                                                              \
		.name = "trustStore", .type = VALUE_STRING,            \
		.required = needed, .choices = names,                  \
		.help = "Which store: HTTPS clients and servers, SIP " \
			"peers, Call Home servers."                    \
	}

static const struct param query_rows[] = {
	STORE_ROW("https|sip|callHome", false),
	{ 0 },
};

static const struct param store_rows[] = {
	STORE_ROW("https|sip|callHome", true),
	{ 0 },
};

static const struct param delete_rows[] = {
	STORE_ROW("https|sip|callHome", true),
	{ .name = "force",
	  .type = VALUE_BOOLEAN,
	  .help = "also when it would lock out the caller" },
	{ 0 },
};

static const struct param reset_rows[] = {
	STORE_ROW("callHome", true),
	{ 0 },
};

static const struct param upload_rows[] = {
	STORE_ROW("https|sip|callHome", true),
	{ .name = "certificates",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = PEM_CHARS_MAX,
	  .help = "PEM bundle of at most 1000 certificates; comments and text "
		  "between them are passed over, duplicates kept once." },
	{ 0 },
};

#define COUNTS "count, added, removed, kept int"

const struct method methods_trust[] = {
	{ "trustStore.query", PRIVILEGE_ADMINISTRATOR, 0, query_rows, query,
	  "certificates array of certificate structs with marks (expired, "
	  "notYetValid, weakKey, weakSignature, notAuthority); source string "
	  "(none, uploaded, default); problem string when the token's copy is "
	  "damaged; progress struct of done, total int while a change runs; "
	  "without trustStore: stores array of structs of these and "
	  "trustStore, "
	  "with unread string in place of them where the token has not been "
	  "read",
	  "The content of a trust store, or of all." },
	{ "trustStore.progress", PRIVILEGE_ADMINISTRATOR, 0, store_rows,
	  progress, "running boolean; done, total int",
	  "How far a running upload is." },
	{ "trustStore.examine", PRIVILEGE_ADMINISTRATOR, 0, upload_rows,
	  examine, COUNTS "; certificates array as in trustStore.query",
	  "What an upload would do; changes nothing." },
	{ "trustStore.upload", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  upload_rows, upload, "status string; " COUNTS,
	  "Replace the whole content of a trust store." },
	{ "trustStore.delete", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  delete_rows, delete_store, NULL, "Leave a trust store empty." },
	{ "trustStore.reset", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  reset_rows, reset, NULL,
	  "Back to the factory content of the Call Home trust store." },
	{ 0 },
};
