/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pkcs11/audit_key.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11/internal.h"

static const CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;

int key_is_for_audit(struct session *s, CK_OBJECT_HANDLE o, bool *out,
		     struct error *e)
{
	char label[TOKEN_LABEL_MAX];

	if (attr_text(s, o, CKA_LABEL, label, sizeof(label), e) < 0)
		return -1;
	*out = !strcmp(label, TOKEN_AUDIT_KEY_LABEL);
	return 0;
}

/* --- finding */

struct find_job {
	const uint8_t *preferred;
	CK_OBJECT_HANDLE handle; /* 0: none yet */
	struct public_key pub;
	struct token_key *key;
};

static bool is_better(const struct find_job *job, const struct public_key *its)
{
	if (!job->handle)
		return true;
	if (job->preferred && !memcmp(job->pub.id, job->preferred, SHA1_SIZE))
		return false;
	if (job->preferred && !memcmp(its->id, job->preferred, SHA1_SIZE))
		return true;
	return memcmp(its->id, job->pub.id, SHA1_SIZE) < 0;
}

static int consider(struct session *s, CK_OBJECT_HANDLE o, struct find_job *job,
		    struct error *e)
{
	bool sensitive, extractable, known;
	struct public_key its;

	if (attr_bool(s, o, CKA_SENSITIVE, false, &sensitive, e) < 0 ||
	    attr_bool(s, o, CKA_EXTRACTABLE, true, &extractable, e) < 0 ||
	    key_read_public(s, o, &its, &known, e) < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	if (!sensitive || extractable || !known || its.type != KEY_EC ||
	    its.bits != 256 || !is_better(job, &its))
		return 0;
	job->handle = o;
	job->pub = its;
	return 0;
}

static int do_find(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class_private, sizeof(class_private)),
		attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_LABEL, TOKEN_AUDIT_KEY_LABEL,
			   strlen(TOKEN_AUDIT_KEY_LABEL)),
	};
	struct find_job *job = arg;
	struct handles found;
	int rc = 0;

	job->handle = 0;
	if (find_objects(s, tmpl, 3, &found, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < found.count; i++)
		rc = consider(s, found.h[i], job, e);
	handles_free(&found);
	if (rc < 0)
		return -1;
	if (!job->handle)
		return error_set(e, ERR_NOT_FOUND,
				 "the token has no audit key");
	job->key = key_object_get(t, s, job->handle, &job->pub, e);
	return job->key ? 0 : -1;
}

static struct token_key *find(struct token *t, const uint8_t *preferred,
			      struct error *e)
{
	struct find_job job = { .preferred = preferred };

	return session_run(t, do_find, &job, e) < 0 ? NULL : job.key;
}

/* --- making */

static int lock(struct token *t, int *fd, struct error *e)
{
	char path[PATH_MAX];

	*fd = -1;
	if (!t->lock_file)
		return 0;
	snprintf(path, sizeof(path), "%s.audit", t->lock_file);
	return file_lock_take(path, LOCK_WAIT_MS, fd, e);
}

struct token_key *token_audit_key(struct token *t,
				  const uint8_t preferred[SHA1_SIZE],
				  struct error *e)
{
	struct token_key *k = find(t, preferred, e);
	int fd;

	if (k || e->kind != ERR_NOT_FOUND || lock(t, &fd, e) < 0)
		return k;
	/* Another process may have made it before the lock was ours. */
	k = find(t, preferred, e);
	if (!k && e->kind == ERR_NOT_FOUND)
		k = token_key_generate(t, KEY_KIND_EC_P256,
				       TOKEN_AUDIT_KEY_LABEL, e);
	file_lock_release(fd);
	return k;
}
