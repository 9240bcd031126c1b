/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "auth/account_security.h"
#include "auth/certificate_mode.h"
#include "auth/users_private.h"
#include "base/clock.h"
#include "base/log.h"

/* A program logs in with every call; its time of log-in is written at most so
 * often. */
enum { LOGIN_TIME_GRAIN_SECONDS = 60 };

#define NO_CERTIFICATE "there is no client certificate"

static int record(struct users *u, struct audit_what what, enum login_door door,
		  const char *id, const char *peer, struct error *e)
{
	const struct audit_actor actor = { users_login_module(door), id, peer,
					   "certificate" };

	return audit_append(u->audit, what, &actor, e);
}

/* The row is filled for OFFER_MATCHING. */
static int find(struct users *u, const struct client_certificate *c,
		bool advanced, time_t now, struct user_row *row,
		struct certificate_user *out, struct error *e)
{
	enum account_block block;

	memset(out, 0, sizeof(*out));
	out->offer = c->present ? OFFER_TRUSTED : OFFER_NONE;
	if (!c->present || !c->login.name[0]) {
		snprintf(out->why, sizeof(out->why), "%s",
			 c->present ? c->login.reason : NO_CERTIFICATE);
		return 0;
	}
	if (store_user_get(u->store, c->login.name, row, e) < 0) {
		if (e->kind != ERR_NO_USER)
			return -1;
		error_clear(e);
		snprintf(out->why, sizeof(out->why), "no user is named \"%s\"",
			 c->login.name);
		return 0;
	}
	out->offer = OFFER_MATCHING;
	users_describe(row, &out->user);
	out->user.must_change_password = false;
	block = account_block(row, advanced, now);
	out->usable = block == ACCOUNT_OPEN;
	snprintf(out->why, sizeof(out->why), "%s", account_block_text(block));
	return 0;
}

int users_find_by_certificate(struct users *u,
			      const struct client_certificate *c, time_t now,
			      struct certificate_user *out, struct error *e)
{
	struct user_row row;

	return find(u, c, users_advanced(u, now), now, &row, out, e);
}

/* A disk that is full keeps nobody out. */
static void note_use(struct users *u, enum login_door door,
		     struct user_row *row, time_t now)
{
	bool stale = row->failures || row->expired_logins ||
		     door == LOGIN_WEB || now < row->last_login_at ||
		     now - row->last_login_at >= LOGIN_TIME_GRAIN_SECONDS;
	struct error e = ERROR_INIT;

	account_logged_in_by_certificate(row, now);
	if (stale && store_user_update(u->store, row, &e) < 0)
		log_failure(LOG_LEVEL_ERROR, "auth", &e);
}

int users_login_by_certificate(struct users *u, enum login_door door,
			       const struct client_certificate *c,
			       const char *peer_address, time_t now,
			       struct identity_of_user *out, struct error *e)
{
	struct certificate_user found;
	struct user_row row;
	bool recorded = false, advanced = users_advanced(u, now);
	int rc;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&u->change);
	rc = find(u, c, advanced, now, &row, &found, e);
	if (rc == 0 && found.usable) {
		/* As with passwords: only what stands out is recorded of a
		 * door that logs in with every call. */
		recorded = door == LOGIN_WEB || row.failures;
		note_use(u, door, &row, now);
	}
	pthread_mutex_unlock(&u->change);
	if (rc < 0)
		return -1;
	if (found.offer != OFFER_MATCHING)
		return error_set(e, ERR_NO_USER, "%s", found.why);
	if (!found.usable) {
		users_certificate_refused(u, door, c, peer_address, found.why);
		return error_set(e, ERR_AUTH, "%s", found.why);
	}
	if (recorded && record(u,
			       AUDIT(LOGIN, .serialNumber = c->names.serial,
				     .subject = c->names.subject,
				     .issuer = c->names.issuer),
			       door, row.id, peer_address, e) < 0)
		return error_prefix(e, "no log-in without its record");
	*out = found.user;
	return 0;
}

/* One place by the hash of the certificate; two that share it take turns. */
void users_certificate_refused(struct users *u, enum login_door door,
			       const struct client_certificate *c,
			       const char *peer_address, const char *why)
{
	struct certificate_told *t =
	    &u->told[c->sha256[0] % CERTIFICATE_TOLD_MAX];
	int64_t now_ms = clock_monotonic_ms();
	struct error e = ERROR_INIT;
	bool again;

	pthread_mutex_lock(&u->told_lock);
	again = t->door == (int)door + 1 &&
		!memcmp(t->sha256, c->sha256, SHA256_SIZE) &&
		now_ms - t->at_ms < CERTIFICATE_TELL_MS;
	if (!again) {
		t->door = (int)door + 1;
		memcpy(t->sha256, c->sha256, SHA256_SIZE);
		t->at_ms = now_ms;
	}
	pthread_mutex_unlock(&u->told_lock);
	if (again)
		return;
	/* Refused in any case; a lost record is logged and counted there. */
	(void)record(
	    u,
	    AUDIT(LOGIN_FAILED, .reason = why, .serialNumber = c->names.serial,
		  .subject = c->names.subject, .issuer = c->names.issuer),
	    door, c->login.name, peer_address, &e);
}
