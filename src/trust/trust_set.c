/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "trust/trust_private.h"

/* A store as a set of the token. */

#define FACT_SOURCE "source"
#define ROLE_ANCHOR "anchor"

static void set_id(struct token_id *id, struct view v)
{
	id->len = v.len < sizeof(id->bytes) ? v.len : sizeof(id->bytes);
	memcpy(id->bytes, v.ptr, id->len);
}

static void fill_member(struct set_member *m, const struct cert *c,
			const char *label)
{
	memcpy(m->role, ROLE_ANCHOR, sizeof(ROLE_ANCHOR));
	memcpy(m->sha256, cert_sha256(c), sizeof(m->sha256));
	m->der = cert_der(c);
	m->subject = cert_subject_der(c);
	m->issuer = cert_issuer_der(c);
	m->serial = cert_serial_der(c);
	m->label = label;
	set_id(&m->id, cert_key_identifier(c));
}

int trust_set_write(struct token *t, enum trust_store_id id,
		    const struct cert_list *certificates,
		    enum trust_source source, object_set_progress_fn *progress,
		    void *progress_arg, struct error *e)
{
	const struct trust_row *row = &trust_rows[id];
	struct set_fact fact = { .name = FACT_SOURCE };
	struct set_member *members =
	    calloc(certificates->count + 1, sizeof(*members));
	int rc;

	if (!members)
		return error_nomem(e);
	strcpy(fact.value, trust_source_name(source));
	for (size_t i = 0; i < certificates->count; i++)
		fill_member(&members[i], certificates->items[i], row->label);
	rc = object_set_replace(t, row->set_name, members, certificates->count,
				&fact, 1, progress, progress_arg, e);
	free(members);
	return rc;
}

/* Certificates without a source that we know were uploaded: nothing else puts
 * them there. */
static enum trust_source source_of(const struct object_set *set)
{
	const char *fact = object_set_fact(set, FACT_SOURCE);

	if (set->member_count == 0)
		return TRUST_NONE;
	return fact && !strcmp(fact, trust_source_name(TRUST_DEFAULT))
		   ? TRUST_DEFAULT
		   : TRUST_UPLOADED;
}

static int add_member(struct cert_list *l, const struct set_member *m,
		      struct error *e)
{
	struct cert *c = cert_from_der(m->der, e);
	int rc = c ? cert_list_add(l, c, e) : -1;

	cert_unref(c);
	return rc;
}

struct trust_snapshot *trust_set_read(struct token *t, enum trust_store_id id,
				      bool *written_out, struct error *e)
{
	struct cert_list list = { NULL, 0 };
	struct trust_snapshot *s = NULL;
	struct object_set set;
	int rc = 0;

	if (object_set_read(t, trust_rows[id].set_name, &set, e) < 0)
		return NULL;
	for (size_t i = 0; rc == 0 && i < set.member_count; i++)
		rc = add_member(&list, &set.members[i], e);
	*written_out = set.generation != 0;
	if (rc == 0) {
		s = trust_snapshot_new(source_of(&set), &list, NULL, e);
	} else {
		cert_list_free(&list);
		/* Bytes that the manifest vouches for, yet no certificate. */
		if (e->kind != ERR_NOMEM)
			e->kind = ERR_CONFLICT;
	}
	object_set_free(&set);
	return s;
}
