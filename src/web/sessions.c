/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

/* 43 characters of 6 random bits: 258 bits. */
enum { ID_CHARS = SESSION_ID_SIZE - 1 };

struct session {
	char id[SESSION_ID_SIZE]; /* "" = free */
	char csrf[SESSION_ID_SIZE];
	char user_id[USER_ID_MAX];
	char address[64];
	bool must_change_password;
	uint8_t password_mark[PASSWORD_MARK_SIZE];
	bool by_certificate;
	uint8_t certificate[SHA256_SIZE];
	int64_t opened_ms; /* monotonic */
	int64_t used_ms;   /* monotonic */
	time_t used_at;    /* wall */
};

struct sessions {
	pthread_mutex_t lock;
	struct settings *settings;
	struct session items[SESSIONS_MAX];
	void (*ended)(const struct session_end *end, void *arg);
	void *ended_arg;
};

/* Ends that are told once the lock is released. */
enum { ENDS_MAX = 16 };
struct ends {
	size_t count;
	struct session_end items[ENDS_MAX];
};

struct sessions *sessions_new(struct settings *settings, struct error *e)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	s->settings = settings;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void sessions_free(struct sessions *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	secret_wipe(s, sizeof(*s));
	free(s);
}

void sessions_on_end(struct sessions *s,
		     void (*fn)(const struct session_end *end, void *arg),
		     void *arg)
{
	s->ended = fn;
	s->ended_arg = arg;
}

static void tell(struct sessions *s, const struct ends *ends)
{
	for (size_t i = 0; s->ended && i < ends->count; i++)
		s->ended(&ends->items[i], s->ended_arg);
}

static int64_t idle_limit_ms(struct sessions *s)
{
	return settings_int(s->settings, SETTING_WEB_SESSION_TIMEOUT_MINUTES) *
	       60 * 1000;
}

static void drop(struct session *x)
{
	secret_wipe(x, sizeof(*x));
}

/* Milliseconds left, by whichever clock says less: the wall clock may be set
 * back, the monotonic one stands still while the machine sleeps. */
static int64_t idle_left_ms(const struct session *x, int64_t limit_ms)
{
	int64_t mono = clock_monotonic_ms() - x->used_ms;
	int64_t wall = (int64_t)(clock_now() - x->used_at) * 1000;

	return limit_ms - (mono > wall ? mono : wall);
}

static void end(struct session *x, enum session_end_reason why,
		struct ends *ends)
{
	struct session_end *e = &ends->items[ends->count++];

	strcpy(e->user_id, x->user_id);
	strcpy(e->address, x->address);
	e->why = why;
	drop(x);
}

static bool is_idle(const struct session *x, int64_t limit_ms)
{
	return x->id[0] && idle_left_ms(x, limit_ms) <= 0;
}

/* As many as can be told, one less; the others wait for the next time. */
static void drop_idle(struct sessions *s, struct ends *ends)
{
	int64_t limit = idle_limit_ms(s);

	for (size_t i = 0; i < SESSIONS_MAX && ends->count < ENDS_MAX - 1; i++)
		if (is_idle(&s->items[i], limit))
			end(&s->items[i], SESSION_IDLE, ends);
}

void sessions_end_idle(struct sessions *s)
{
	struct ends ends;

	do {
		ends.count = 0;
		pthread_mutex_lock(&s->lock);
		drop_idle(s, &ends);
		pthread_mutex_unlock(&s->lock);
		tell(s, &ends);
	} while (ends.count);
}

/* The place for a new session of that user: free, or his own oldest. */
static struct session *find_place(struct sessions *s, const char *user_id)
{
	struct session *place = NULL, *oldest = NULL;
	unsigned own = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *x = &s->items[i];

		if (!x->id[0]) {
			place = place ? place : x;
		} else if (!strcmp(x->user_id, user_id)) {
			own++;
			if (!oldest || x->opened_ms < oldest->opened_ms)
				oldest = x;
		}
	}
	return own < SESSIONS_PER_USER_MAX ? place : oldest;
}

static void describe(struct sessions *s, const struct session *x,
		     struct session_info *out)
{
	int64_t left = idle_left_ms(x, idle_limit_ms(s));

	memset(out, 0, sizeof(*out));
	strcpy(out->user_id, x->user_id);
	strcpy(out->csrf_token, x->csrf);
	out->must_change_password = x->must_change_password;
	memcpy(out->password_mark, x->password_mark, PASSWORD_MARK_SIZE);
	out->by_certificate = x->by_certificate;
	memcpy(out->certificate, x->certificate, SHA256_SIZE);
	out->idle_seconds_left = left > 0 ? (unsigned)(left / 1000) : 0;
}

int sessions_open(struct sessions *s, const struct identity_of_user *user,
		  const char *peer_address, const uint8_t *certificate,
		  char id_out[SESSION_ID_SIZE], struct session_info *info_out,
		  struct error *e)
{
	struct ends ends = { .count = 0 };
	struct session *x;
	int rc = -1;

	if (strlen(peer_address) >= sizeof(x->address))
		return error_set(e, ERR_INTERNAL, "address too long");
	pthread_mutex_lock(&s->lock);
	drop_idle(s, &ends);
	x = find_place(s, user->id);
	if (!x) {
		error_set(e, ERR_LIMIT, "no free sessions");
		goto out;
	}
	if (x->id[0])
		end(x, SESSION_REPLACED, &ends);
	random_text(x->id, ID_CHARS);
	random_text(x->csrf, ID_CHARS);
	strcpy(x->user_id, user->id);
	strcpy(x->address, peer_address);
	x->must_change_password = user->must_change_password;
	memcpy(x->password_mark, user->password_mark, PASSWORD_MARK_SIZE);
	x->by_certificate = certificate != NULL;
	if (certificate)
		memcpy(x->certificate, certificate, SHA256_SIZE);
	x->opened_ms = x->used_ms = clock_monotonic_ms();
	x->used_at = clock_now();
	memcpy(id_out, x->id, SESSION_ID_SIZE);
	describe(s, x, info_out);
	rc = 0;
out:
	pthread_mutex_unlock(&s->lock);
	tell(s, &ends);
	return rc;
}

/* Every session is compared in full, so that the time tells nothing. */
static struct session *find(struct sessions *s, const char *id)
{
	struct session *found = NULL;

	if (strlen(id) != ID_CHARS)
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		unsigned differs = 0;

		for (size_t k = 0; k < ID_CHARS; k++)
			differs |= (unsigned char)(id[k] ^ s->items[i].id[k]);
		if (!differs)
			found = &s->items[i];
	}
	return found;
}

int sessions_find(struct sessions *s, const char *id, const char *peer_address,
		  bool touch, struct session_info *out, struct error *e)
{
	struct ends ends = { .count = 0 };
	struct session *x;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	x = find(s, id);
	if (x && is_idle(x, idle_limit_ms(s))) {
		end(x, SESSION_IDLE, &ends);
		x = NULL;
	}
	if (!x || strcmp(x->address, peer_address) != 0) {
		rc = error_set(e, ERR_AUTH, "no such session");
		goto out;
	}
	if (touch) {
		x->used_ms = clock_monotonic_ms();
		x->used_at = clock_now();
	}
	describe(s, x, out);
out:
	pthread_mutex_unlock(&s->lock);
	tell(s, &ends);
	return rc;
}

void sessions_close(struct sessions *s, const char *id)
{
	struct session *x;

	pthread_mutex_lock(&s->lock);
	x = find(s, id);
	if (x)
		drop(x);
	pthread_mutex_unlock(&s->lock);
}

void sessions_close_user(struct sessions *s, const char *user_id,
			 const char *keep)
{
	struct session *kept;

	pthread_mutex_lock(&s->lock);
	kept = keep ? find(s, keep) : NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (&s->items[i] != kept && s->items[i].id[0] &&
		    !strcmp(s->items[i].user_id, user_id))
			drop(&s->items[i]);
	pthread_mutex_unlock(&s->lock);
}

void sessions_password_changed(struct sessions *s, const char *id)
{
	struct session *x;

	pthread_mutex_lock(&s->lock);
	x = find(s, id);
	if (x)
		x->must_change_password = false;
	pthread_mutex_unlock(&s->lock);
}
