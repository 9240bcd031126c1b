/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pkcs11/data.h"

#include <string.h>

#include "base/log.h"
#include "pkcs11/internal.h"

#define APPLICATION "sealbridge"

enum { DATA_ATTRIBUTES = 5 };

static const CK_OBJECT_CLASS class_data = CKO_DATA;

/* What tells the objects of that label from all others; room for a value. */
static CK_ULONG fill_template(const char *label,
			      CK_ATTRIBUTE out[DATA_ATTRIBUTES + 1])
{
	out[0] = attr_bytes(CKA_CLASS, &class_data, sizeof(class_data));
	out[1] = attr_bytes(CKA_TOKEN, &attr_true, sizeof(attr_true));
	out[2] = attr_bytes(CKA_PRIVATE, &attr_true, sizeof(attr_true));
	out[3] = attr_bytes(CKA_APPLICATION, APPLICATION, strlen(APPLICATION));
	out[4] = attr_bytes(CKA_LABEL, label, strlen(label));
	return DATA_ATTRIBUTES;
}

static int find_all(struct session *s, const char *label, struct handles *out,
		    struct error *e)
{
	CK_ATTRIBUTE tmpl[DATA_ATTRIBUTES + 1];

	return find_objects(s, tmpl, fill_template(label, tmpl), out, e);
}

/* --- reading */

struct each_job {
	const char *label;
	int (*each)(void *arg, struct view value, struct error *e);
	void *arg;
};

static int do_each(struct token *t, struct session *s, void *arg,
		   struct error *e)
{
	struct each_job *job = arg;
	uint8_t value[TOKEN_DATA_MAX];
	struct handles found;
	int rc = 0;

	(void)t;
	if (find_all(s, job->label, &found, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < found.count; i++) {
		size_t n;

		rc = attr_read(s, found.h[i], CKA_VALUE, value, sizeof(value),
			       &n, e);
		if (rc == 0)
			rc = job->each(job->arg, view_of(value, n), e);
		else if (e->kind == ERR_NOT_FOUND)
			rc = 0; /* replaced since the search */
	}
	handles_free(&found);
	return rc;
}

int token_data_each(struct token *t, const char *label,
		    int (*each)(void *arg, struct view value, struct error *e),
		    void *arg, struct error *e)
{
	struct each_job job = { label, each, arg };

	return session_run(t, do_each, &job, e);
}

/* --- replacing */

struct replace_job {
	const char *label;
	struct view value;
	time_t started;
};

static int create(struct token *t, struct session *s,
		  const struct replace_job *job, CK_OBJECT_HANDLE *out,
		  struct error *e)
{
	CK_ATTRIBUTE tmpl[DATA_ATTRIBUTES + 1];
	CK_ULONG n = fill_template(job->label, tmpl);
	CK_RV rv;

	tmpl[n++] = attr_bytes(CKA_VALUE, job->value.ptr, job->value.len);
	rv = CALL_CHANGING(s->c, C_CreateObject, s->h, tmpl, n, out);
	if (rv == CKR_OK)
		return 0;
	session_fail(s, rv, "C_CreateObject (data)", e);
	if (rv_is_refusal(rv)) {
		atomic_store(&t->data_objects, false);
		e->kind = ERR_UNSUPPORTED;
	}
	return -1;
}

/* A token may take an object and not keep it whole. */
static int read_back(struct session *s, CK_OBJECT_HANDLE o, struct view value,
		     struct error *e)
{
	uint8_t kept[TOKEN_DATA_MAX];
	size_t n;

	if (attr_read(s, o, CKA_VALUE, kept, sizeof(kept), &n, e) < 0)
		return -1;
	if (view_equal(view_of(kept, n), value))
		return 0;
	CALL_CHANGING(s->c, C_DestroyObject, s->h, o);
	return error_set(e, ERR_TOKEN, "the token did not keep a data object");
}

static void remove_others(struct session *s, const char *label,
			  CK_OBJECT_HANDLE keep)
{
	struct error e = ERROR_INIT;
	struct handles found;

	if (find_all(s, label, &found, &e) < 0) {
		log_failure(LOG_LEVEL_WARNING, "token", &e);
		return;
	}
	for (size_t i = 0; i < found.count; i++)
		if (found.h[i] != keep &&
		    CALL_CHANGING(s->c, C_DestroyObject, s->h, found.h[i]) !=
			CKR_OK)
			log_warning("token",
				    "a former \"%s\" stays in the token",
				    label);
	handles_free(&found);
}

static int do_replace(struct token *t, struct session *s, void *arg,
		      struct error *e)
{
	const struct replace_job *job = arg;
	CK_OBJECT_HANDLE o;

	if (create(t, s, job, &o, e) < 0 ||
	    read_back(s, o, job->value, e) < 0 ||
	    softhsm_sync(t->softhsm_conf, job->started, e) < 0)
		return -1;
	remove_others(s, job->label, o);
	return 0;
}

int token_data_replace(struct token *t, const char *label, struct view value,
		       struct error *e)
{
	struct replace_job job = { label, value, time(NULL) };

	if (value.len > TOKEN_DATA_MAX)
		return error_set(e, ERR_LIMIT, "more than %d bytes of data",
				 (int)TOKEN_DATA_MAX);
	if (!atomic_load(&t->data_objects))
		return error_set(e, ERR_UNSUPPORTED,
				 "the token keeps no data objects");
	return session_run(t, do_replace, &job, e);
}
