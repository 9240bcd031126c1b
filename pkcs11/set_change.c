/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pkcs11/set_scan.h"

/* Changing a set: members first, then the manifest (the commit), then what is
 * no longer listed goes. */

/* Other processes' changes are waited for: a large set takes its time. */
enum { SETS_LOCK_WAIT_MS = 60000 };

static const CK_OBJECT_CLASS class_data = CKO_DATA;
static const CK_OBJECT_CLASS class_certificate = CKO_CERTIFICATE;
static const CK_CERTIFICATE_TYPE type_x509 = CKC_X_509;

/* --- one change at a time, in all processes on this token */

static int sets_lock(struct token *t, int *fd, struct error *e)
{
	char path[4096];

	pthread_mutex_lock(&t->sets_lock);
	*fd = -1;
	if (!t->lock_file)
		return 0;
	snprintf(path, sizeof(path), "%s.sets", t->lock_file);
	if (file_lock_take(path, SETS_LOCK_WAIT_MS, fd, e) == 0)
		return 0;
	pthread_mutex_unlock(&t->sets_lock);
	return -1;
}

static void sets_unlock(struct token *t, int fd)
{
	file_lock_release(fd);
	pthread_mutex_unlock(&t->sets_lock);
}

/* --- members */

struct change {
	const char *name;
	const struct set_member *members;
	size_t member_count;
	const struct set_fact *facts;
	size_t fact_count;
	object_set_progress_fn *progress;
	void *progress_arg;
	time_t started;
};

static int check_members(const struct change *ch, struct error *e)
{
	for (size_t i = 0; i < ch->member_count; i++) {
		const struct set_member *m = &ch->members[i];
		uint8_t sha256[SHA256_SIZE];

		if (!m->label || strncmp(m->label, SET_LABEL_PREFIX,
					 strlen(SET_LABEL_PREFIX)) != 0)
			return error_set(e, ERR_INPUT,
					 "a label that does not begin with "
					 "\"" SET_LABEL_PREFIX "\"");
		if (manifest_role_is_key(m->role) || !m->der.len)
			continue;
		if (m->der.len > CERTIFICATE_DER_MAX)
			return error_set(e, ERR_LIMIT,
					 "certificate of %zu bytes: at most %d",
					 m->der.len, (int)CERTIFICATE_DER_MAX);
		sha256_of(m->der, sha256);
		if (memcmp(sha256, m->sha256, sizeof(sha256)) != 0)
			return error_set(e, ERR_INPUT,
					 "a certificate with another's hash");
	}
	return 0;
}

static int create_certificate(struct session *s, const struct set_member *m,
			      CK_OBJECT_HANDLE *out, struct error *e)
{
	CK_ATTRIBUTE tmpl[10] = {
		attr_bytes(CKA_CLASS, &class_certificate,
			   sizeof(class_certificate)),
		attr_bytes(CKA_CERTIFICATE_TYPE, &type_x509, sizeof(type_x509)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_PRIVATE, &attr_false, sizeof(attr_false)),
		attr_bytes(CKA_LABEL, m->label, strlen(m->label)),
		attr_bytes(CKA_ID, m->id.bytes, m->id.len),
		attr_bytes(CKA_SUBJECT, m->subject.ptr, m->subject.len),
		attr_bytes(CKA_VALUE, m->der.ptr, m->der.len),
	};
	CK_ULONG n = 8;
	CK_RV rv;

	if (m->issuer.len)
		tmpl[n++] =
		    attr_bytes(CKA_ISSUER, m->issuer.ptr, m->issuer.len);
	if (m->serial.len)
		tmpl[n++] =
		    attr_bytes(CKA_SERIAL_NUMBER, m->serial.ptr, m->serial.len);
	rv = CALL_CHANGING(s->c, C_CreateObject, s->h, tmpl, n, out);
	return rv == CKR_OK
		   ? 0
		   : session_fail(s, rv, "C_CreateObject (certificate)", e);
}

static int by_hash_and_label(const void *a, const void *b)
{
	const struct set_member *x = *(const struct set_member *const *)a;
	const struct set_member *y = *(const struct set_member *const *)b;
	int order = memcmp(x->sha256, y->sha256, SHA256_SIZE);

	return order ? order : strcmp(x->label, y->label);
}

/* Sorted, so that one named twice is written once. */
static const struct set_member **sort_members(const struct change *ch)
{
	const struct set_member **sorted =
	    calloc(ch->member_count + 1, sizeof(const struct set_member *));

	for (size_t i = 0; sorted && i < ch->member_count; i++)
		sorted[i] = &ch->members[i];
	if (sorted)
		qsort(sorted, ch->member_count, sizeof(*sorted),
		      by_hash_and_label);
	return sorted;
}

struct created {
	CK_OBJECT_HANDLE *list;
	size_t count;
};

static int write_members(struct session *s, const struct change *ch,
			 struct certificates *have, struct created *made,
			 struct error *e)
{
	const struct set_member **sorted = sort_members(ch);
	int rc = sorted ? 0 : error_nomem(e);

	for (size_t i = 0; rc == 0 && i < ch->member_count; i++) {
		const struct set_member *m = sorted[i];

		if (!manifest_role_is_key(m->role) &&
		    !(i && !by_hash_and_label(&sorted[i - 1], &sorted[i])) &&
		    !certificate_find(have, m->sha256, m->label)) {
			rc = m->der.len
				 ? create_certificate(
				       s, m, &made->list[made->count], e)
				 : error_set(e, ERR_NOT_FOUND,
					     "a certificate that the token "
					     "should hold is not there");
			made->count += rc == 0;
		}
		if (rc == 0 && ch->progress)
			ch->progress(i + 1, ch->member_count, ch->progress_arg);
	}
	free(sorted);
	return rc;
}

/* What was written is read back: a member counts when it can be found. */
static int check_written(struct session *s, const struct change *ch,
			 struct error *e)
{
	struct certificates have;
	int rc = 0;

	if (certificates_load(s, &have, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < ch->member_count; i++)
		if (!manifest_role_is_key(ch->members[i].role) &&
		    !certificate_find(&have, ch->members[i].sha256,
				      ch->members[i].label))
			rc = error_set(e, ERR_TOKEN,
				       "the token did not keep a certificate");
	certificates_free(&have);
	return rc;
}

static void undo(struct session *s, const struct created *made)
{
	for (size_t i = 0; i < made->count && !session_is_spent(s); i++)
		if (CALL_CHANGING(s->c, C_DestroyObject, s->h, made->list[i]) !=
		    CKR_OK)
			log_warning("token",
				    "a certificate of a failed change stays "
				    "until the next start");
}

/* --- the manifest */

static int put_in_fallback(struct token *t, const char *name, struct view text,
			   struct error *e)
{
	if (!t->fallback.put)
		return error_set(e, ERR_UNSUPPORTED,
				 "the token keeps no data objects and there is "
				 "no other place for a manifest");
	return t->fallback.put(t->fallback.arg, name, text, e);
}

/* *handle_out is 0 when the fallback has it. */
static int put_manifest(struct token *t, struct session *s, const char *name,
			struct view text, CK_OBJECT_HANDLE *handle_out,
			struct error *e)
{
	char label[TOKEN_LABEL_MAX];
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_data, sizeof(class_data)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_PRIVATE, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_APPLICATION, MANIFEST_APPLICATION,
			   strlen(MANIFEST_APPLICATION)),
		attr_bytes(CKA_LABEL, label,
			   (size_t)snprintf(label, sizeof(label),
					    MANIFEST_LABEL_PREFIX "%s", name)),
		attr_bytes(CKA_VALUE, text.ptr, text.len),
	};
	CK_RV rv;

	*handle_out = 0;
	if (!atomic_load(&t->data_objects))
		return put_in_fallback(t, name, text, e);
	rv = CALL_CHANGING(s->c, C_CreateObject, s->h, tmpl,
			   sizeof(tmpl) / sizeof(tmpl[0]), handle_out);
	if (rv == CKR_OK)
		return 0;
	session_fail(s, rv, "C_CreateObject (manifest)", e);
	if (session_is_spent(s) || !t->fallback.put)
		return -1;
	if (rv_is_refusal(rv))
		atomic_store(&t->data_objects, false);
	return put_in_fallback(t, name, text, e);
}

/* --- removing what is not listed */

static size_t destroy(struct session *s, CK_OBJECT_HANDLE o)
{
	CK_RV rv = CALL_CHANGING(s->c, C_DestroyObject, s->h, o);

	if (rv == CKR_OK)
		return 1;
	if (rv != CKR_OBJECT_HANDLE_INVALID) {
		struct error e = ERROR_INIT;

		session_fail(s, rv, "C_DestroyObject", &e);
		log_failure(LOG_LEVEL_WARNING, "token", &e);
	}
	return 0;
}

static void mark_listed(const struct manifest *m, struct certificates *c)
{
	for (size_t i = 0; i < m->member_count; i++) {
		struct kept_certificate *k = certificate_find(
		    c, m->members[i].sha256, m->members[i].label);

		if (k)
			k->listed = true;
	}
}

/* One set's manifests, newest first: the newest whole one stays. When none is
 * whole, the newest stays too, with all its members: what has gone was removed
 * by somebody else, and the rest is evidence, not rubbish. */
static size_t collect_set(struct session *s, const struct kept_manifest *list,
			  size_t n, struct certificates *c)
{
	size_t keep = 0, removed = 0;

	while (keep < n && manifest_lacks(&list[keep].m, c))
		keep++;
	if (keep == n)
		keep = 0;
	mark_listed(&list[keep].m, c);
	for (size_t i = 0; i < n; i++)
		if (i != keep && list[i].handle)
			removed += destroy(s, list[i].handle);
	return removed;
}

static size_t collect_all(struct session *s, const struct manifests *l,
			  struct certificates *c)
{
	size_t removed = 0;

	for (size_t i = 0, n; i < l->count; i += n) {
		for (n = 1; i + n < l->count &&
			    !strcmp(l->list[i].m.name, l->list[i + n].m.name);)
			n++;
		removed += collect_set(s, &l->list[i], n, c);
	}
	for (size_t i = 0; i < l->damaged_count; i++)
		removed += destroy(s, l->damaged[i]);
	for (size_t i = 0; i < c->count; i++)
		if (!c->list[i].listed)
			removed += destroy(s, c->list[i].handle);
	return removed;
}

static int do_collect(struct token *t, struct session *s, void *arg,
		      struct error *e)
{
	size_t *removed = arg;
	struct certificates c;
	struct manifests l;

	if (manifests_load(t, s, NULL, &l, e) < 0)
		return -1;
	if (certificates_load(s, &c, e) < 0) {
		manifests_free(&l);
		return -1;
	}
	*removed += collect_all(s, &l, &c);
	certificates_free(&c);
	manifests_free(&l);
	return 0;
}

int object_collect_leftovers(struct token *t, size_t *removed_out,
			     struct error *e)
{
	size_t removed = 0;
	int fd, rc;

	if (sets_lock(t, &fd, e) < 0)
		return -1;
	rc = session_run(t, do_collect, &removed, e);
	sets_unlock(t, fd);
	if (removed_out)
		*removed_out = removed;
	return rc;
}

/* --- the change */

static uint64_t next_generation(const struct manifests *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->list[i].m.name, name))
			return l->list[i].m.generation + 1;
	return 1;
}

static int commit(struct token *t, struct session *s, const struct change *ch,
		  uint64_t generation, CK_OBJECT_HANDLE *handle_out,
		  struct buf *text, struct error *e)
{
	struct error sync_error = ERROR_INIT;
	char serial[sizeof(t->serial)];

	token_serial(t, serial);
	if (manifest_format(ch->name, serial, generation, ch->members,
			    ch->member_count, ch->facts, ch->fact_count, text,
			    e) < 0 ||
	    softhsm_sync(t->softhsm_conf, ch->started, e) < 0 ||
	    put_manifest(t, s, ch->name, buf_view(text), handle_out, e) < 0)
		return -1;
	/* The change is in force; only a power failure could undo it. */
	if (softhsm_sync(t->softhsm_conf, ch->started, &sync_error) < 0)
		log_failure(LOG_LEVEL_ERROR, "token", &sync_error);
	return 0;
}

/* After the commit nothing can fail the change any more: what cannot be removed
 * now is collected at the next change or start. */
static void clean_up(struct token *t, struct session *s,
		     const struct change *ch, struct view keep)
{
	struct error e = ERROR_INIT;
	size_t removed = 0;

	if (do_collect(t, s, &removed, &e) < 0 ||
	    (t->fallback.prune &&
	     t->fallback.prune(t->fallback.arg, ch->name, keep, &e) < 0))
		log_failure(LOG_LEVEL_WARNING, "token", &e);
}

static int do_replace(struct token *t, struct session *s, void *arg,
		      struct error *e)
{
	const struct change *ch = arg;
	struct created made = { NULL, 0 };
	CK_OBJECT_HANDLE handle = 0;
	struct certificates have;
	struct manifests l;
	struct buf text;
	int rc = -1;

	if (manifests_load(t, s, ch->name, &l, e) < 0)
		return -1;
	buf_init(&text, MANIFEST_TEXT_MAX);
	if (certificates_load(s, &have, e) < 0)
		goto out;
	made.list = calloc(ch->member_count + 1, sizeof(made.list[0]));
	rc = made.list ? write_members(s, ch, &have, &made, e) : error_nomem(e);
	certificates_free(&have);
	if (rc == 0 && made.count)
		rc = check_written(s, ch, e);
	if (rc == 0)
		rc = commit(t, s, ch, next_generation(&l, ch->name), &handle,
			    &text, e);
	if (rc == 0)
		clean_up(t, s, ch, handle ? view_of("", 0) : buf_view(&text));
	else
		undo(s, &made);
out:
	free(made.list);
	buf_free(&text);
	manifests_free(&l);
	return rc;
}

int object_set_replace(struct token *t, const char *name,
		       const struct set_member *members, size_t member_count,
		       const struct set_fact *facts, size_t fact_count,
		       object_set_progress_fn *progress, void *progress_arg,
		       struct error *e)
{
	struct change ch = { name,       members,  member_count, facts,
			     fact_count, progress, progress_arg, time(NULL) };
	int fd, rc;

	if (check_members(&ch, e) < 0 || sets_lock(t, &fd, e) < 0)
		return -1;
	rc = session_run(t, do_replace, &ch, e);
	sets_unlock(t, fd);
	return rc < 0 ? error_prefix(e, "set %s", name) : 0;
}
