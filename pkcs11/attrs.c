/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "pkcs11/internal.h"

enum { FIND_STEP = 64 };

const CK_BBOOL attr_true = CK_TRUE;
const CK_BBOOL attr_false = CK_FALSE;

CK_ATTRIBUTE attr_bytes(CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	return (CK_ATTRIBUTE){ type, (void *)(uintptr_t)p, (CK_ULONG)n };
}

static int grow(struct handles *l, struct error *e)
{
	CK_OBJECT_HANDLE *more;

	if (l->count >= FIND_MAX)
		return error_set(e, ERR_LIMIT,
				 "more than %d objects in the token",
				 (int)FIND_MAX);
	more = realloc(l->h, (l->count + FIND_STEP) * sizeof(l->h[0]));
	if (!more)
		return error_nomem(e);
	l->h = more;
	return 0;
}

int find_objects(struct session *s, CK_ATTRIBUTE *tmpl, CK_ULONG n,
		 struct handles *out, struct error *e)
{
	CK_ULONG got;
	CK_RV rv;
	int rc = -1;

	out->h = NULL;
	out->count = 0;
	rv = CALL_READING(s->c, C_FindObjectsInit, s->h, tmpl, n);
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_FindObjectsInit", e);
	do {
		got = 0;
		if (grow(out, e) < 0)
			goto out;
		rv = CALL_READING(s->c, C_FindObjects, s->h,
				  out->h + out->count, FIND_STEP, &got);
		if (rv != CKR_OK) {
			session_fail(s, rv, "C_FindObjects", e);
			goto out;
		}
		out->count += got;
	} while (got);
	rc = 0;
out:
	rv = CALL(s->c, C_FindObjectsFinal, s->h);
	if (rv != CKR_OK && rc == 0)
		rc = session_fail(s, rv, "C_FindObjectsFinal", e);
	if (rc < 0)
		handles_free(out);
	return rc;
}

void handles_free(struct handles *l)
{
	free(l->h);
	l->h = NULL;
	l->count = 0;
}

int attr_read(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      void *out, size_t cap, size_t *len_out, struct error *e)
{
	CK_ATTRIBUTE a = { type, out, (CK_ULONG)cap };
	CK_RV rv = CALL_READING(s->c, C_GetAttributeValue, s->h, o, &a, 1);

	*len_out = 0;
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
	    rv == CKR_BUFFER_TOO_SMALL)
		return 0;
	if (rv == CKR_OBJECT_HANDLE_INVALID)
		return error_set_native(e, ERR_NOT_FOUND, (long)rv,
					"the object is gone");
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_GetAttributeValue", e);
	if (a.ulValueLen <= cap)
		*len_out = a.ulValueLen;
	return 0;
}

int attr_bool(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      bool fallback, bool *out, struct error *e)
{
	CK_BBOOL value;
	size_t n;

	if (attr_read(s, o, type, &value, sizeof(value), &n, e) < 0)
		return -1;
	*out = n == sizeof(value) ? value != CK_FALSE : fallback;
	return 0;
}

int attr_text(struct session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
	      char *out, size_t cap, struct error *e)
{
	size_t n;

	if (attr_read(s, o, type, out, cap - 1, &n, e) < 0)
		return -1;
	out[n] = '\0';
	return 0;
}
