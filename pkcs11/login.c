/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "pkcs11/internal.h"

/* The name under which a refusal is remembered: another token, or the same one
 * initialised anew, is another matter. */
static void token_name(const CK_TOKEN_INFO *info, char out[33 + 17 + 2])
{
	char label[33], serial[17];

	slot_text(info->label, sizeof(info->label), label);
	slot_text(info->serialNumber, sizeof(info->serialNumber), serial);
	snprintf(out, 33 + 17 + 2, "%s/%s", serial, label);
}

/* Has this very PIN file been refused by this token, in this life or in an
 * earlier one? */
static bool was_refused(struct token *t, const char *name,
			const struct pin_identity *now)
{
	struct pin_identity mark;

	if (t->pin_refused && pin_identity_equal(&t->refused_pin, now))
		return true;
	return pin_mark_read(t->state_directory, name, &mark) &&
	       pin_identity_equal(&mark, now);
}

static void remember_refusal(struct token *t, const struct pin_identity *id)
{
	pthread_mutex_lock(&t->lock);
	t->pin_refused = true;
	t->refused_pin = *id;
	pthread_mutex_unlock(&t->lock);
}

static void forget_refusal(struct token *t)
{
	pthread_mutex_lock(&t->lock);
	t->pin_refused = false;
	pthread_mutex_unlock(&t->lock);
	pin_mark_remove(t->state_directory);
}

static int refuse(struct token *t, const char *name,
		  const struct pin_identity *id, CK_RV rv, struct error *e)
{
	struct error mark_error = ERROR_INIT;

	remember_refusal(t, id);
	rv_error(e, rv, "C_Login");
	if (pin_mark_write(t->state_directory, name, id, &mark_error) < 0)
		return error_prefix(e,
				    "the PIN in %s was refused (and a restart "
				    "would try it again: %s)",
				    t->pin_file, mark_error.text);
	return error_prefix(e,
			    "the PIN in %s was refused and is not tried again "
			    "until the file changes",
			    t->pin_file);
}

/* The PIN with the identity of the file it came from. */
static int read_pin(struct token *t, struct secret *pin,
		    struct pin_identity *id, struct error *e)
{
	struct pin_identity before;

	if (pin_identity_of(t->pin_file, &before, e) < 0 ||
	    secret_read_file(pin, t->pin_file, PIN_MAX, e) < 0 ||
	    pin_identity_of(t->pin_file, id, e) < 0)
		return -1;
	if (!pin_identity_equal(&before, id))
		return error_set(e, ERR_IO, "PIN file %s: being changed",
				 t->pin_file);
	if (!pin->len)
		return error_set(e, ERR_CONFIG, "PIN file %s: empty",
				 t->pin_file);
	return 0;
}

static int login_with_pin(struct token *t, struct connection *c,
			  CK_SESSION_HANDLE h, const char *name,
			  const CK_TOKEN_INFO *info, struct error *e)
{
	struct secret pin = { 0 };
	struct pin_identity id;
	int rc = -1;
	CK_RV rv;

	if (read_pin(t, &pin, &id, e) < 0)
		goto out;
	if (was_refused(t, name, &id)) {
		remember_refusal(t, &id);
		error_set_native(e, ERR_TOKEN_PIN, (long)CKR_PIN_INCORRECT,
				 "the PIN in %s was refused before and is not "
				 "tried again until the file changes",
				 t->pin_file);
		goto out;
	}
	if (info->flags & CKF_USER_PIN_LOCKED) {
		refuse(t, name, &id, CKR_PIN_LOCKED, e);
		goto out;
	}
	rv = CALL(c, C_Login, h, CKU_USER, pin.ptr, (CK_ULONG)pin.len);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
		forget_refusal(t);
		rc = 0;
	} else if (rv_is_pin_refusal(rv)) {
		refuse(t, name, &id, rv, e);
	} else {
		rv_error(e, rv, "C_Login");
	}
out:
	secret_free(&pin);
	return rc;
}

int login_session(struct token *t, struct connection *c, CK_SESSION_HANDLE h,
		  const CK_TOKEN_INFO *info, struct error *e)
{
	CK_SESSION_INFO session;
	char name[33 + 17 + 2];
	CK_RV rv;

	if (!(info->flags & CKF_LOGIN_REQUIRED))
		return 0;
	rv = CALL(c, C_GetSessionInfo, h, &session);
	if (rv != CKR_OK)
		return rv_error(e, rv, "C_GetSessionInfo");
	if (session.state == CKS_RW_USER_FUNCTIONS)
		return 0;
	token_name(info, name);
	return login_with_pin(t, c, h, name, info, e);
}
