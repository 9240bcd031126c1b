/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "pkcs11/internal.h"

CK_FUNCTION_LIST *connection_enter(struct connection *c)
{
	if (c->serial)
		pthread_mutex_lock(&c->call_lock);
	return c->f;
}

CK_RV connection_leave(struct connection *c, CK_RV rv)
{
	if (c->serial)
		pthread_mutex_unlock(&c->call_lock);
	return rv;
}

/* All connections lead to the same files. Changes go first: searches that
 * follow one another without a pause would keep them out for ever. */
static pthread_rwlock_t objects_lock =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

CK_FUNCTION_LIST *objects_enter(struct connection *c, bool changing)
{
	if (changing)
		pthread_rwlock_wrlock(&objects_lock);
	else
		pthread_rwlock_rdlock(&objects_lock);
	return connection_enter(c);
}

CK_RV objects_leave(struct connection *c, CK_RV rv)
{
	rv = connection_leave(c, rv);
	pthread_rwlock_unlock(&objects_lock);
	return rv;
}

static CK_RV open_one(struct connection *c, CK_SESSION_HANDLE *out)
{
	return CALL(c, C_OpenSession, c->slot,
		    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, out);
}

bool connection_state_fits(const struct connection *c, CK_STATE state)
{
	return !c->logs_in || state == CKS_RW_USER_FUNCTIONS;
}

/* A session that is logged in: a login belongs to the whole connection, so a
 * new session without it means that the token has forgotten us. */
int connection_open_session(struct connection *c, CK_SESSION_HANDLE *out,
			    struct error *e)
{
	CK_SESSION_INFO info;
	CK_RV rv = open_one(c, out);

	if (rv != CKR_OK)
		return rv_error(e, rv, "C_OpenSession");
	rv = CALL(c, C_GetSessionInfo, *out, &info);
	if (rv == CKR_OK && connection_state_fits(c, info.state))
		return 0;
	CALL(c, C_CloseSession, *out);
	return rv_error(e, rv == CKR_OK ? CKR_TOKEN_NOT_PRESENT : rv,
			"C_GetSessionInfo");
}

/* The first session, which logs in, and the others. Fewer than wanted are
 * enough when the token has no more. */
static int open_sessions(struct token *t, struct connection *c,
			 const CK_TOKEN_INFO *info, struct error *e)
{
	CK_SESSION_HANDLE h;
	CK_RV rv = open_one(c, &h);

	if (rv != CKR_OK)
		return rv_error(e, rv, "C_OpenSession");
	c->free[c->free_count++] = h;
	c->logs_in = info->flags & CKF_LOGIN_REQUIRED;
	if (login_session(t, c, h, info, e) < 0)
		return -1;
	while (c->free_count < c->wanted) {
		rv = open_one(c, &h);
		if (rv == CKR_SESSION_COUNT)
			break;
		if (rv != CKR_OK)
			return rv_error(e, rv, "C_OpenSession");
		c->free[c->free_count++] = h;
	}
	if (t->keepers && open_one(c, &h) == CKR_OK)
		c->keeper = h;
	return 0;
}

/* Does the token make data objects at all? Asked with a session object, which
 * leaves nothing behind. */
static bool keeps_data(struct connection *c)
{
	static const CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = {
		attr_bytes(CKA_CLASS, &class, sizeof(class)),
		attr_bytes(CKA_TOKEN, &attr_false, sizeof(attr_false)),
		attr_bytes(CKA_PRIVATE, &attr_true, sizeof(attr_true)),
		attr_bytes(CKA_LABEL, "sealbridge probe", 16),
		attr_bytes(CKA_VALUE, "probe", 5),
	};
	CK_OBJECT_HANDLE o;

	if (CALL_CHANGING(c, C_CreateObject, c->free[0], tmpl,
			  sizeof(tmpl) / sizeof(tmpl[0]), &o) != CKR_OK)
		return false;
	CALL_CHANGING(c, C_DestroyObject, c->free[0], o);
	return true;
}

static void note_token(struct token *t, const CK_TOKEN_INFO *info)
{
	pthread_mutex_lock(&t->lock);
	slot_text(info->label, sizeof(info->label), t->label);
	slot_text(info->manufacturerID, sizeof(info->manufacturerID),
		  t->manufacturer);
	slot_text(info->model, sizeof(info->model), t->model);
	slot_text(info->serialNumber, sizeof(info->serialNumber), t->serial);
	pthread_mutex_unlock(&t->lock);
}

int connection_open(struct token *t, struct connection *c, struct error *e)
{
	CK_TOKEN_INFO info;

	if (!c->f && module_load(c, t->module, t->connection_count > 1, e) < 0)
		return -1;
	if (module_initialize(c, e) < 0)
		return -1;
	if (slot_find(c, t->uri, &info, e) < 0 || slot_mechanisms(c, e) < 0 ||
	    open_sessions(t, c, &info, e) < 0) {
		connection_close(c);
		return -1;
	}
	atomic_store(&t->data_objects, keeps_data(c));
	note_token(t, &info);
	return 0;
}

/* Sessions are not closed one by one: C_Finalize ends them, and on a dead
 * connection each close would only fail. */
void connection_close(struct connection *c)
{
	if (c->initialized && c->shared) {
		while (c->free_count)
			CALL(c, C_CloseSession, c->free[--c->free_count]);
		if (c->keeper)
			CALL(c, C_CloseSession, c->keeper);
	}
	c->free_count = 0;
	c->keeper = 0;
	module_finalize(c);
}
