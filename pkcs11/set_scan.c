/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pkcs11/set_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const CK_OBJECT_CLASS class_data = CKO_DATA;
static const CK_OBJECT_CLASS class_certificate = CKO_CERTIFICATE;

enum { DER_TOTAL_MAX = 64 * 1024 * 1024 };

/* --- manifests */

void manifests_free(struct manifests *l)
{
	for (size_t i = 0; i < l->count; i++)
		manifest_free(&l->list[i].m);
	free(l->list);
	free(l->damaged);
	memset(l, 0, sizeof(*l));
}

static int by_name_newest_first(const void *a, const void *b)
{
	const struct kept_manifest *x = a, *y = b;
	int order = strcmp(x->m.name, y->m.name);

	return order ? order : manifest_compare(&y->m, &x->m);
}

/* Past the limit the rest waits for the next collection. */
static void add_damaged(struct manifests *l, CK_OBJECT_HANDLE handle)
{
	if (l->damaged_count < MANIFESTS_MAX)
		l->damaged[l->damaged_count++] = handle;
}

/* Takes the text; what is no manifest is noted by its handle. */
static int add_manifest(struct manifests *l, struct view text,
			CK_OBJECT_HANDLE handle, const char *serial,
			struct error *e)
{
	struct error why = ERROR_INIT;
	struct kept_manifest *to = &l->list[l->count];

	if (l->count >= MANIFESTS_MAX)
		return error_set(e, ERR_LIMIT,
				 "more than %d manifests in the token",
				 (int)MANIFESTS_MAX);
	if (manifest_parse(text, &to->m, &why) < 0) {
		if (why.kind == ERR_NOMEM)
			return error_nomem(e);
		if (handle)
			add_damaged(l, handle);
		return 0;
	}
	/* A row of the fallback may speak of a token that was replaced. */
	if (serial && strcmp(to->m.serial, serial) != 0) {
		manifest_free(&to->m);
		return 0;
	}
	to->handle = handle;
	l->count++;
	return 0;
}

/* Ours by label, application and privacy: whoever can write a private object
 * knows the PIN, a public one could be anybody's. *ours false: another's. */
static int judge_object(struct session *s, CK_OBJECT_HANDLE o, bool *ours,
			bool *trusted, struct error *e)
{
	char label[TOKEN_LABEL_MAX], application[TOKEN_LABEL_MAX];

	*trusted = false;
	if (attr_text(s, o, CKA_LABEL, label, sizeof(label), e) < 0)
		return -1;
	*ours = !strncmp(label, MANIFEST_LABEL_PREFIX,
			 strlen(MANIFEST_LABEL_PREFIX));
	if (!*ours)
		return 0;
	if (attr_text(s, o, CKA_APPLICATION, application, sizeof(application),
		      e) < 0 ||
	    attr_bool(s, o, CKA_PRIVATE, false, trusted, e) < 0)
		return -1;
	*trusted = *trusted && !strcmp(application, MANIFEST_APPLICATION);
	return 0;
}

static int load_object(struct session *s, CK_OBJECT_HANDLE o, uint8_t *room,
		       struct manifests *l, struct error *e)
{
	bool ours, trusted;
	size_t n = 0;
	int rc = judge_object(s, o, &ours, &trusted, e);

	if (rc == 0 && !ours)
		return 0;
	if (rc == 0 && !trusted) {
		add_damaged(l, o);
		return 0;
	}
	if (rc == 0)
		rc = attr_read(s, o, CKA_VALUE, room, MANIFEST_TEXT_MAX, &n, e);
	/* removed since the search, by a change of another process */
	if (rc < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	return add_manifest(l, view_of(room, n), o, NULL, e);
}

static int load_objects(struct session *s, const char *name,
			struct manifests *l, struct error *e)
{
	char label[TOKEN_LABEL_MAX];
	CK_ATTRIBUTE tmpl[3] = {
		attr_bytes(CKA_CLASS, &class_data, sizeof(class_data)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
	};
	struct handles found;
	uint8_t *room;
	CK_ULONG n = 2;
	int rc = 0;

	if (name) {
		snprintf(label, sizeof(label), MANIFEST_LABEL_PREFIX "%s",
			 name);
		tmpl[n++] = attr_bytes(CKA_LABEL, label, strlen(label));
	}
	if (find_objects(s, tmpl, n, &found, e) < 0)
		return -1;
	room = malloc(MANIFEST_TEXT_MAX);
	if (!room)
		rc = error_nomem(e);
	for (size_t i = 0; rc == 0 && i < found.count; i++)
		rc = load_object(s, found.h[i], room, l, e);
	free(room);
	handles_free(&found);
	return rc;
}

struct fallback_job {
	struct manifests *l;
	const char *serial;
};

static int load_row(void *arg, struct view value, struct error *e)
{
	struct fallback_job *job = arg;

	return add_manifest(job->l, value, 0, job->serial, e);
}

static int load_fallback(struct token *t, const char *name, struct manifests *l,
			 struct error *e)
{
	char serial[sizeof(t->serial)];
	struct fallback_job job = { l, serial };

	if (!t->fallback.list)
		return 0;
	token_serial(t, serial);
	return t->fallback.list(t->fallback.arg, name, load_row, &job, e);
}

int manifests_load(struct token *t, struct session *s, const char *name,
		   struct manifests *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	out->list = calloc(MANIFESTS_MAX, sizeof(out->list[0]));
	out->damaged = calloc(MANIFESTS_MAX, sizeof(out->damaged[0]));
	if (!out->list || !out->damaged) {
		manifests_free(out);
		return error_nomem(e);
	}
	if (load_objects(s, name, out, e) < 0 ||
	    load_fallback(t, name, out, e) < 0) {
		manifests_free(out);
		return -1;
	}
	qsort(out->list, out->count, sizeof(out->list[0]),
	      by_name_newest_first);
	return 0;
}

/* --- certificates */

void certificates_free(struct certificates *c)
{
	free(c->list);
	buf_free(&c->der);
	memset(c, 0, sizeof(*c));
}

static int by_hash(const void *a, const void *b)
{
	const struct kept_certificate *x = a, *y = b;

	return memcmp(x->sha256, y->sha256, SHA256_SIZE);
}

/* Label and value in one call: a call is what costs (platform-facts: 70-85 us
 * through p11-kit). One without a value, or with one too long, is a broken
 * object: listed by nobody, so the collector takes it. */
static int load_certificate(struct session *s, CK_OBJECT_HANDLE o,
			    uint8_t *room, struct certificates *out,
			    struct error *e)
{
	struct kept_certificate *to = &out->list[out->count];
	CK_ATTRIBUTE a[] = {
		{ CKA_LABEL, to->label, sizeof(to->label) - 1 },
		{ CKA_VALUE, room, CERTIFICATE_DER_MAX },
	};
	CK_RV rv = CALL_READING(s->c, C_GetAttributeValue, s->h, o, a, 2);

	if (rv == CKR_OBJECT_HANDLE_INVALID)
		return 0;
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL &&
	    rv != CKR_ATTRIBUTE_TYPE_INVALID)
		return session_fail(s, rv, "C_GetAttributeValue", e);
	if (a[0].ulValueLen >= sizeof(to->label))
		return 0;
	to->label[a[0].ulValueLen] = '\0';
	if (strncmp(to->label, SET_LABEL_PREFIX, strlen(SET_LABEL_PREFIX)) != 0)
		return 0;
	to->handle = o;
	to->listed = false;
	to->der_at = out->der.len;
	to->der_len =
	    a[1].ulValueLen <= CERTIFICATE_DER_MAX ? a[1].ulValueLen : 0;
	if (buf_add(&out->der, room, to->der_len, e) < 0)
		return -1;
	sha256_of(view_of(room, to->der_len), to->sha256);
	out->count++;
	return 0;
}

int certificates_load(struct session *s, struct certificates *out,
		      struct error *e)
{
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_certificate,
			   sizeof(class_certificate)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
	};
	struct handles found;
	uint8_t *room;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	buf_init(&out->der, DER_TOTAL_MAX);
	if (find_objects(s, tmpl, 2, &found, e) < 0)
		return -1;
	room = malloc(CERTIFICATE_DER_MAX);
	out->list = calloc(found.count + 1, sizeof(out->list[0]));
	if (!room || !out->list)
		rc = error_nomem(e);
	for (size_t i = 0; rc == 0 && i < found.count; i++)
		rc = load_certificate(s, found.h[i], room, out, e);
	free(room);
	handles_free(&found);
	if (rc < 0)
		certificates_free(out);
	else
		qsort(out->list, out->count, sizeof(out->list[0]), by_hash);
	return rc;
}

struct kept_certificate *certificate_find(struct certificates *c,
					  const uint8_t sha256[SHA256_SIZE],
					  const char *label)
{
	struct kept_certificate wanted, *at, *end = c->list + c->count;

	memcpy(wanted.sha256, sha256, SHA256_SIZE);
	at = bsearch(&wanted, c->list, c->count, sizeof(c->list[0]), by_hash);
	if (!at)
		return NULL;
	while (at > c->list && !by_hash(at - 1, &wanted))
		at--;
	for (; at < end && !by_hash(at, &wanted); at++)
		if (!strcmp(at->label, label))
			return at;
	return NULL;
}

const struct manifest_member *manifest_lacks(const struct manifest *m,
					     struct certificates *c)
{
	for (size_t i = 0; i < m->member_count; i++)
		if (!manifest_role_is_key(m->members[i].role) &&
		    !certificate_find(c, m->members[i].sha256,
				      m->members[i].label))
			return &m->members[i];
	return NULL;
}
