/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
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

/* Has this very PIN been refused by this token, in this life or in an earlier
 * one? The mark in memory counts too, since that on disk may have failed. */
static int was_refused(struct token *t, const char *name, struct view pin,
		       struct pin_mark *mark, bool *refused, struct error *e)
{
	*refused = false;
	if (t->refused_mark.token[0]) {
		*mark = t->refused_mark;
		if (pin_mark_fits(mark, name, pin, refused, e) < 0)
			return -1;
		if (*refused)
			return 0;
	}
	if (!pin_mark_read(t->state_directory, mark))
		return 0;
	return pin_mark_fits(mark, name, pin, refused, e);
}

/* mark NULL: this PIN was not tried. */
static void remember_refusal(struct token *t, const struct pin_identity *id,
			     const struct pin_mark *mark)
{
	pthread_mutex_lock(&t->lock);
	t->pin_refused = true;
	t->refused_pin = *id;
	if (mark)
		t->refused_mark = *mark;
	pthread_mutex_unlock(&t->lock);
}

static void forget_refusal(struct token *t)
{
	pthread_mutex_lock(&t->lock);
	t->pin_refused = false;
	t->refused_mark.token[0] = '\0';
	pthread_mutex_unlock(&t->lock);
	pin_mark_remove(t->state_directory);
}

/* What has to happen before there is another attempt. systemd copies a
 * credential when it starts the service, so the copy does not follow its
 * source. */
static const char *way_out(const struct token *t)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	size_t n = credentials ? strlen(credentials) : 0;

	if (n && !strncmp(t->pin_file, credentials, n) && t->pin_file[n] == '/')
		return "until the PIN changes: this is systemd's copy from the "
		       "start, so correct its source, then restart";
	return "until the PIN in it changes";
}

static int refuse(struct token *t, const char *name, struct view pin,
		  const struct pin_identity *id, CK_RV rv, struct error *e)
{
	struct error mark_error = ERROR_INIT;
	struct pin_mark mark;
	bool made = pin_mark_make(name, pin, &mark, &mark_error) == 0;

	remember_refusal(t, id, made ? &mark : NULL);
	rv_error(e, rv, "C_Login");
	if (!made || pin_mark_write(t->state_directory, &mark, &mark_error) < 0)
		return error_prefix(e,
				    "the PIN in %s was refused (and a restart "
				    "would try it again: %s)",
				    t->pin_file, mark_error.text);
	return error_prefix(
	    e, "the PIN in %s was refused and is not tried again %s",
	    t->pin_file, way_out(t));
}

/* The token says by itself that it is locked. Nothing is tried as long as it
 * does, and there is no mark: this PIN may be the right one once the token's
 * officer has unlocked it. */
static int refuse_locked(struct token *t, const struct pin_identity *id,
			 struct error *e)
{
	remember_refusal(t, id, NULL);
	rv_error(e, CKR_PIN_LOCKED, "C_GetTokenInfo");
	return error_prefix(e,
			    "the token has locked its PIN, and that in %s is "
			    "refused until a restart finds it unlocked",
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

static int try_pin(struct token *t, struct connection *c, CK_SESSION_HANDLE h,
		   const char *name, const struct secret *pin,
		   const struct pin_identity *id, struct error *e)
{
	CK_RV rv = CALL(c, C_Login, h, CKU_USER, pin->ptr, (CK_ULONG)pin->len);

	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
		forget_refusal(t);
		return 0;
	}
	if (rv_is_pin_refusal(rv))
		return refuse(t, name, view_of(pin->ptr, pin->len), id, rv, e);
	return rv_error(e, rv, "C_Login");
}

static int login_with_pin(struct token *t, struct connection *c,
			  CK_SESSION_HANDLE h, const char *name,
			  const CK_TOKEN_INFO *info, struct error *e)
{
	struct secret pin = { 0 };
	struct pin_identity id;
	struct pin_mark mark;
	bool refused;
	int rc = -1;

	if (read_pin(t, &pin, &id, e) < 0 ||
	    was_refused(t, name, view_of(pin.ptr, pin.len), &mark, &refused,
			e) < 0)
		goto out;
	if (refused) {
		remember_refusal(t, &id, &mark);
		error_set_native(e, ERR_TOKEN_PIN, (long)CKR_PIN_INCORRECT,
				 "the PIN in %s was refused before and is not "
				 "tried again %s",
				 t->pin_file, way_out(t));
	} else if (info->flags & CKF_USER_PIN_LOCKED) {
		refuse_locked(t, &id, e);
	} else {
		rc = try_pin(t, c, h, name, &pin, &id, e);
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
