/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <stdlib.h>
#include <string.h>

#include "api/audit_certificate.h"
#include "api/key_value.h"
#include "base/clock.h"

enum { PENDING_MAX = 64, ALT_NAMES_MAX = 100, REQUEST_BYTES_MAX = 65536 };

/* --- query --- */

static bool is_tokens_fault(const struct error *e)
{
	return e->kind == ERR_TOKEN || e->kind == ERR_TOKEN_PIN ||
	       e->kind == ERR_TIMEOUT;
}

/* The key of a token that is away is missing. A token that is there and does
 * not answer in time has said nothing: no status then, the reason in its
 * place. */
static int put_no_answer(struct value *out, struct token *t, struct error *e)
{
	struct token_info info;

	if (!is_tokens_fault(e))
		return -1;
	token_get_info(t, &info);
	if (info.state != TOKEN_READY)
		value_put_string(
		    out, "keyStatus",
		    identity_key_status_name(IDENTITY_KEY_MISSING));
	value_put_string(out, "keyProblem", e->text);
	error_clear(e);
	return 0;
}

static int put_key_status(struct value *out, const struct call *c,
			  const struct local_identity *l, struct error *e)
{
	enum identity_key_status status;

	if (identity_key_status(c->services->identity, l, &status, e) < 0)
		return put_no_answer(out, c->services->token, e);
	value_put_string(out, "keyStatus", identity_key_status_name(status));
	return 0;
}

/* A certificate struct with what is only true of the local one; l is given
 * back. Left out before the token was ever read. */
static int put_local(struct value *out, const char *member,
		     const struct call *c, struct local_identity *l,
		     struct error *e)
{
	struct value *s;
	int rc;

	if (!l)
		return 0;
	s = value_put_struct(out, member);
	rc = cert_to_value(l->chain.items[0], s, e);
	if (rc == 0)
		rc = put_key_status(s, c, l, e);
	value_put_string(s, "source", identity_source_name(l->source));
	if (rc == 0)
		rc = cert_list_to_value(&l->chain, value_put_array(s, "chain"),
					e);
	local_identity_unref(l);
	return rc;
}

static int put_pending(struct value *out, struct identity *id, struct error *e)
{
	struct value *list = value_put_array(out, "pendingRequests");
	struct token_key_info *keys = calloc(PENDING_MAX, sizeof(*keys));
	size_t count = 0;
	int rc;

	if (!keys)
		return error_nomem(e);
	rc = identity_pending_keys(id, keys, PENDING_MAX, &count, e);
	for (size_t i = 0; rc == 0 && i < count && i < PENDING_MAX; i++)
		key_to_value(&keys[i], value_add_struct(list));
	free(keys);
	if (rc == 0 || !is_tokens_fault(e))
		return rc;
	/* Not known, which is not the same as none. */
	value_put_string(out, "pendingProblem", e->text);
	error_clear(e);
	return 0;
}

static struct value *query(struct call *c, struct error *e)
{
	struct identity *id = c->services->identity;
	struct value *s = value_new_struct();

	if (put_local(s, "local", c, identity_stored(id), e) < 0 ||
	    put_local(s, "active", c, identity_in_service(id), e) < 0 ||
	    put_pending(s, id, e) < 0) {
		value_free(s);
		return NULL;
	}
	value_put_boolean(s, "restartRequired", identity_restart_required(id));
	return s;
}

/* --- upload, examine --- */

static struct view pem_of(const struct call *c, const char *member)
{
	return value_bytes(value_member(c->params, member));
}

static void put_warnings(struct value *out, const struct identity_warnings *w)
{
	struct value *list = value_put_array(out, "warnings");

	for (size_t i = 0; i < w->count; i++)
		value_add_string(list, w->text[i]);
}

static struct value *failed(struct call *c, const char *what,
			    const struct error *e)
{
	c->failure_told = true;
	call_audit(c, AUDIT(CERTIFICATE_CHANGE_FAILED, .action = what,
			    .reason = e->text));
	return NULL;
}

static struct value *upload(struct call *c, struct error *e)
{
	struct identity *id = c->services->identity;
	struct identity_warnings warnings = { .count = 0 };
	struct local_identity *former = identity_stored(id), *now;
	struct value *s = NULL;

	if (identity_upload(id, pem_of(c, "certificate"),
			    pem_of(c, "privateKey"),
			    pem_of(c, "privateKeyPassword"), clock_now(),
			    &warnings, e) < 0) {
		failed(c, "upload", e);
		goto out;
	}
	now = identity_stored(id);
	audit_certificate_uploaded(c, now, former);
	local_identity_unref(now);
	s = result_ok();
	put_warnings(s, &warnings);
out:
	local_identity_unref(former);
	return s;
}

static struct value *examine(struct call *c, struct error *e)
{
	struct identity_warnings warnings = { .count = 0 };
	struct value *s = value_new_struct();
	struct cert_chain chain;

	if (identity_examine(c->services->identity, pem_of(c, "certificate"),
			     pem_of(c, "privateKey"),
			     pem_of(c, "privateKeyPassword"), clock_now(),
			     &chain, &warnings, e) < 0) {
		value_free(s);
		return NULL;
	}
	if (cert_list_to_value(&chain.chain, value_put_array(s, "chain"), e) <
		0 ||
	    cert_list_to_value(&chain.dropped, value_put_array(s, "dropped"),
			       e) < 0) {
		value_free(s);
		s = NULL;
	}
	value_put_boolean(s, "reordered", chain.reordered);
	put_warnings(s, &warnings);
	cert_chain_free(&chain);
	return s;
}

/* --- activate, delete --- */

static struct value *activate(struct call *c, struct error *e)
{
	struct identity *id = c->services->identity;
	struct local_identity *former = identity_in_service(id), *now;
	struct value *s = NULL;

	if (identity_activate(id, e) < 0) {
		failed(c, "activation", e);
	} else {
		now = identity_in_service(id);
		audit_certificate_activated(c, now, former);
		local_identity_unref(now);
		s = result_ok();
	}
	local_identity_unref(former);
	return s;
}

static struct value *delete_custom(struct call *c, struct error *e)
{
	struct identity *id = c->services->identity;
	struct local_identity *gone = identity_stored(id), *now;
	struct value *s = NULL;

	if (identity_delete(id, e) < 0) {
		failed(c, "deletion", e);
	} else {
		now = identity_stored(id);
		audit_certificate_deleted(c, gone, now);
		local_identity_unref(now);
		s = result_ok();
	}
	local_identity_unref(gone);
	return s;
}

/* --- keys and requests --- */

static struct value *generate_key(struct call *c, struct error *e)
{
	const char *type = value_string(value_member(c->params, "keyType"));
	char text[2 * TOKEN_ID_MAX + 1];
	struct token_id id;
	enum key_kind kind;
	struct value *s;

	if (key_kind_from_name(type, &kind) < 0) {
		error_set(e, ERR_INPUT, "keyType");
		return NULL;
	}
	if (identity_generate_key(c->services->identity, kind, &id, e) < 0)
		return failed(c, "making of a key", e);
	key_id_to_text(&id, text);
	call_audit(c, AUDIT(KEY_GENERATED, .keyId = text, .keyType = type));
	s = value_new_struct();
	value_put_string(s, "keyId", text);
	return s;
}

static struct value *delete_key(struct call *c, struct error *e)
{
	const char *text = value_string(value_member(c->params, "keyId"));
	char id[2 * TOKEN_ID_MAX + 1];
	struct token_id key;

	if (key_id_from_text(text, &key, e) < 0 ||
	    identity_delete_key(c->services->identity, &key, e) < 0)
		return failed(c, "deletion of a key", e);
	key_id_to_text(&key, id);
	call_audit(c, AUDIT(KEY_DELETED, .keyId = id));
	return result_ok();
}

static void read_subject(const struct value *v, struct subject_parts *out)
{
	out->c = value_string(value_member(v, "c"));
	out->st = value_string(value_member(v, "st"));
	out->l = value_string(value_member(v, "l"));
	out->o = value_string(value_member(v, "o"));
	out->ou = value_string(value_member(v, "ou"));
	out->cn = value_string(value_member(v, "cn"));
}

static int request_for(struct call *c, const struct token_id *key,
		       struct buf *pem, struct error *e)
{
	const struct value *names = value_member(c->params, "subjectAltNames");
	const char *list[ALT_NAMES_MAX];
	char id[2 * TOKEN_ID_MAX + 1];
	size_t count = value_count(names);
	struct subject_parts subject;

	if (count > ALT_NAMES_MAX)
		return error_set(e, ERR_INPUT,
				 "subjectAltNames: more than %d names",
				 ALT_NAMES_MAX);
	for (size_t i = 0; i < count; i++)
		list[i] = value_string(value_item(names, i));
	read_subject(value_member(c->params, "subject"), &subject);
	if (identity_create_request(c->services->identity, key, &subject, list,
				    count, pem, e) < 0)
		return -1;
	key_id_to_text(key, id);
	audit_request_created(c, id, &subject, list, count);
	return 0;
}

static struct value *create_request(struct call *c, struct error *e)
{
	const char *text = value_string(value_member(c->params, "keyId"));
	struct value *s = NULL;
	struct token_id key;
	struct buf pem;

	buf_init(&pem, REQUEST_BYTES_MAX);
	if (key_id_from_text(text, &key, e) == 0 &&
	    request_for(c, &key, &pem, e) == 0) {
		s = value_new_struct();
		value_put_string(s, "request", buf_cstr(&pem));
	} else {
		failed(c, "signing of a request", e);
	}
	buf_free(&pem);
	return s;
}

/* --- rows --- */

static const struct param upload_rows[] = {
	{ .name = "certificate",
	  .type = VALUE_STRING,
	  .required = true,
	  .chars = PEM_CHARS_MAX,
	  .help = "PEM: the leaf and any intermediates, in any order." },
	{ .name = "privateKey",
	  .type = VALUE_STRING,
	  .chars = PEM_CHARS_MAX,
	  .help = "PEM; left out when the token holds the key already." },
	{ .name = "privateKeyPassword",
	  .type = VALUE_STRING,
	  .chars = SECRET_CHARS_MAX },
	{ 0 },
};

static const struct param key_rows[] = {
	{ .name = "keyType",
	  .type = VALUE_STRING,
	  .required = true,
	  .choices = "rsa2048|rsa3072|rsa4096|ecP256|ecP384" },
	{ 0 },
};

static const struct param subject_rows[] = {
	{ .name = "c", .type = VALUE_STRING, .help = "Country, two letters." },
	{ .name = "st",
	  .type = VALUE_STRING,
	  .chars = 128,
	  .help = "State or province." },
	{ .name = "l",
	  .type = VALUE_STRING,
	  .chars = 128,
	  .help = "Locality." },
	{ .name = "o",
	  .type = VALUE_STRING,
	  .chars = 64,
	  .help = "Organization." },
	{ .name = "ou",
	  .type = VALUE_STRING,
	  .chars = 64,
	  .help = "Organizational unit." },
	{ .name = "cn",
	  .type = VALUE_STRING,
	  .chars = 64,
	  .help = "Common name." },
	{ 0 },
};

static const struct param alt_name_row = { .name = "name",
					   .type = VALUE_STRING,
					   .chars = 255,
					   .help =
					       "DNS:..., IP:... or URI:..." };

#define KEY_ID_ROW                                                       \
	{                                                                \
		.name = "keyId", .type = VALUE_STRING, .required = true, \
		.chars = 2 * TOKEN_ID_MAX,                               \
		.help = "Hex CKA_ID of a key of the token.",             \
	}

static const struct param delete_key_rows[] = {
	KEY_ID_ROW,
	{ 0 },
};

static const struct param request_rows[] = {
	KEY_ID_ROW,
	{ .name = "subject",
	  .type = VALUE_STRUCT,
	  .required = true,
	  .inside = subject_rows },
	{ .name = "subjectAltNames",
	  .type = VALUE_ARRAY,
	  .inside = &alt_name_row },
	{ 0 },
};

const struct method methods_certificate[] = {
	{ "certificate.query", PRIVILEGE_ADMINISTRATOR, 0, NULL, query,
	  "local, active certificate struct with keyStatus (matches, "
	  "doesNotMatch, missing), source (default, custom), chain; without "
	  "keyStatus when the token is ready but did not answer, then and "
	  "while it is away with keyProblem string; restartRequired boolean; "
	  "pendingRequests array of keyId, label, keyType; pendingProblem "
	  "string when the token could not be asked for them",
	  "The local certificate: the one that is stored, and the one that "
	  "connections get now." },
	{ "certificate.examine", PRIVILEGE_ADMINISTRATOR, 0, upload_rows,
	  examine,
	  "chain, dropped array of certificate structs; reordered boolean; "
	  "warnings array of string",
	  "What an upload would do; changes nothing." },
	{ "certificate.upload", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  upload_rows, upload, "status string; warnings array of string",
	  "Replace the local certificate and its key; in service after a "
	  "restart or certificate.activate." },
	{ "certificate.activate", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, NULL,
	  activate, NULL,
	  "Put the uploaded certificate in service now; no connection is "
	  "dropped." },
	{ "certificate.delete", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, NULL,
	  delete_custom, NULL,
	  "Back to the device's own default certificate." },
	{ "certificate.generateKey", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  key_rows, generate_key, "keyId string",
	  "Make a key pair in the token." },
	{ "certificate.createRequest", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  request_rows, create_request, "request string (PEM PKCS#10)",
	  "Make a signing request for a key of the token." },
	{ "certificate.deleteKey", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  delete_key_rows, delete_key, NULL,
	  "Remove a key pair that was made for a request and has no "
	  "certificate." },
	{ 0 },
};
