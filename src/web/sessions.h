/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_SESSIONS_H
#define SB_WEB_SESSIONS_H

#include "auth/users.h"
#include "base/hash.h"

/* Browser sessions: in memory, bound to the peer address, ended by idling, log
 * out, a change of the account, or the end of the process. One that was opened
 * by a client certificate is bound to that too; whether the mode of client
 * certificates still lets a session in is asked by whoever looks it up, with
 * each request. Any thread. */

enum { SESSION_ID_SIZE = 44, SESSIONS_MAX = 500, SESSIONS_PER_USER_MAX = 50 };
#define SESSION_COOKIE "sealbridge_session"

struct sessions;

struct sessions *sessions_new(struct settings *settings,
			      struct error *e) MUST_CHECK;
void sessions_free(struct sessions *s);

struct session_info {
	char user_id[USER_ID_MAX];
	char csrf_token[SESSION_ID_SIZE];
	bool must_change_password;
	/* Of the password it was opened with; whoever looks the account up
	 * compares: one opened while the password was being changed misses the
	 * closing of all. */
	uint8_t password_mark[PASSWORD_MARK_SIZE];
	unsigned idle_seconds_left;
	bool by_certificate; /* else by password */
	uint8_t certificate[SHA256_SIZE];
};

/* A session that nobody has ended by a log-out or a change of the account. */
enum session_end_reason { SESSION_IDLE, SESSION_REPLACED };
struct session_end {
	char user_id[USER_ID_MAX];
	char address[64];
	enum session_end_reason why;
};

/* Told of each such end, without a lock, from the thread that noticed. One
 * listener; set before use. */
void sessions_on_end(struct sessions *s,
		     void (*fn)(const struct session_end *end, void *arg),
		     void *arg);
/* End what was idle for too long; to be called now and then, so that an end is
 * noticed where nobody comes back. */
void sessions_end_idle(struct sessions *s);

/* A new session; id_out goes into the cookie. certificate: SHA-256 of the
 * client certificate that opens it, NULL for a password. ERR_LIMIT ("no free
 * sessions"); the user's oldest gives way past SESSIONS_PER_USER_MAX. */
int sessions_open(struct sessions *s, const struct identity_of_user *user,
		  const char *peer_address, const uint8_t *certificate,
		  char id_out[SESSION_ID_SIZE], struct session_info *info_out,
		  struct error *e) MUST_CHECK;

/* Look up a cookie and, when touch, restart its idle time. ERR_AUTH: unknown,
 * idle for too long, or from another address. Compared in constant time. */
int sessions_find(struct sessions *s, const char *id, const char *peer_address,
		  bool touch, struct session_info *out,
		  struct error *e) MUST_CHECK;
void sessions_close(struct sessions *s, const char *id);
/* All of one account; keep (may be NULL) survives. */
void sessions_close_user(struct sessions *s, const char *user_id,
			 const char *keep);
void sessions_password_changed(struct sessions *s, const char *id);

#endif
