/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/set_scan.h"

enum { READ_ATTEMPTS = 4 };

static const CK_OBJECT_CLASS class_certificate = CKO_CERTIFICATE;

/* --- reading a set */

void object_set_free(struct object_set *s)
{
	free(s->memory);
	memset(s, 0, sizeof(*s));
}

const char *object_set_fact(const struct object_set *s, const char *name)
{
	for (size_t i = 0; i < s->fact_count; i++)
		if (!strcmp(s->facts[i].name, name))
			return s->facts[i].value;
	return NULL;
}

/* What one member needs beside its struct. */
static size_t member_room(const struct manifest_member *m,
			  struct certificates *c)
{
	const struct kept_certificate *k =
	    certificate_find(c, m->sha256, m->label);

	return strlen(m->label) + 1 + (k ? k->der_len : 0);
}

static void fill_member(struct set_member *to, const struct manifest_member *m,
			struct certificates *c, uint8_t **at)
{
	const struct kept_certificate *k =
	    certificate_find(c, m->sha256, m->label);
	size_t n = strlen(m->label) + 1;

	memcpy(to->role, m->role, sizeof(to->role));
	memcpy(to->sha256, m->sha256, sizeof(to->sha256));
	to->id = m->id;
	to->label = (const char *)*at;
	memcpy(*at, m->label, n);
	*at += n;
	if (!k || manifest_role_is_key(m->role))
		return;
	memcpy(*at, c->der.ptr + k->der_at, k->der_len);
	to->der = view_of(*at, k->der_len);
	*at += k->der_len;
}

/* Members, labels and certificates live in one allocation. */
static int fill_set(struct object_set *out, const struct manifest *m,
		    struct certificates *c, struct error *e)
{
	size_t room = m->member_count * sizeof(struct set_member) + 1;
	uint8_t *at;

	for (size_t i = 0; i < m->member_count; i++)
		room += member_room(&m->members[i], c);
	out->memory = calloc(1, room);
	if (!out->memory)
		return error_nomem(e);
	out->members = out->memory;
	at = (uint8_t *)(out->members + m->member_count);
	for (size_t i = 0; i < m->member_count; i++)
		fill_member(&out->members[i], &m->members[i], c, &at);
	out->member_count = m->member_count;
	out->generation = m->generation;
	memcpy(out->facts, m->facts, sizeof(out->facts));
	out->fact_count = m->fact_count;
	return 0;
}

struct read_job {
	const char *name;
	struct object_set *out;
};

static int choose(const struct manifests *l, struct certificates *c,
		  const char *name, struct object_set *out, struct error *e)
{
	const struct manifest_member *missing = NULL;
	char hex[2 * SHA256_SIZE + 1];

	for (size_t i = 0; i < l->count; i++) {
		const struct manifest_member *lack =
		    manifest_lacks(&l->list[i].m, c);

		if (!lack)
			return fill_set(out, &l->list[i].m, c, e);
		if (!missing)
			missing = lack;
	}
	if (!missing)
		return 0; /* there never was such a set */
	hex_encode(missing->sha256, SHA256_SIZE, hex);
	return error_set(e, ERR_CONFLICT,
			 "set %s is damaged: certificate %s with label \"%s\" "
			 "is no longer in the token",
			 name, hex, missing->label);
}

static int read_once(struct token *t, struct session *s, struct read_job *job,
		     struct error *e)
{
	struct certificates c = { .count = 0 };
	struct manifests l;
	int rc;

	memset(job->out, 0, sizeof(*job->out));
	if (manifests_load(t, s, job->name, &l, e) < 0)
		return -1;
	rc = l.count ? certificates_load(s, &c, e) : 0;
	if (rc == 0)
		rc = choose(&l, &c, job->name, job->out, e);
	certificates_free(&c);
	manifests_free(&l);
	return rc;
}

/* A change between the two looks at the token takes members away that the
 * manifest of the first look lists: then there is a newer one to be seen. */
static int do_read(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	int rc = -1;

	for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
		rc = read_once(t, s, arg, e);
		if (rc == 0 || e->kind != ERR_CONFLICT)
			break;
	}
	return rc;
}

int object_set_read(struct token *t, const char *name, struct object_set *out,
		    struct error *e)
{
	struct read_job job = { name, out };

	return session_run(t, do_read, &job, e);
}

/* --- certificates of others */

struct by_id_job {
	const struct token_id *id;
	uint8_t *der;
	size_t len;
};

static int do_by_id(struct token *t, struct session *s, void *arg,
		    struct error *e)
{
	struct by_id_job *job = arg;
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_certificate,
			   sizeof(class_certificate)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_ID, job->id->bytes, job->id->len),
	};
	struct handles found;
	int rc = 0;

	(void)t;
	if (find_objects(s, tmpl, 3, &found, e) < 0)
		return -1;
	job->der = malloc(CERTIFICATE_DER_MAX);
	if (!job->der)
		rc = error_nomem(e);
	for (size_t i = 0; rc == 0 && !job->len && i < found.count; i++)
		rc = attr_read(s, found.h[i], CKA_VALUE, job->der,
			       CERTIFICATE_DER_MAX, &job->len, e);
	handles_free(&found);
	if (rc == 0 && !job->len)
		rc = error_set(e, ERR_NOT_FOUND,
			       "no certificate with that CKA_ID");
	if (rc < 0) {
		free(job->der);
		job->der = NULL;
	}
	return rc;
}

int token_certificate_by_id(struct token *t, const struct token_id *id,
			    uint8_t **der_out, size_t *len_out, struct error *e)
{
	struct by_id_job job = { id, NULL, 0 };

	if (session_run(t, do_by_id, &job, e) < 0)
		return -1;
	*der_out = job.der;
	*len_out = job.len;
	return 0;
}
