/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/login_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/secret.h"

enum { NAME_MAX_BYTES = 256 };

struct bucket {
	unsigned failures, waiting;
	int64_t last_ms;
};

struct login_guard {
	pthread_mutex_t lock;
	uint8_t key[LOGIN_GUARD_KEY_SIZE];
	unsigned waiting, unreserved; /* the latter of the former */
	unsigned refused;             /* since it was told */
	bool told;
	int64_t told_ms;
	struct bucket accounts[LOGIN_ACCOUNT_BUCKETS];
	struct bucket peers[LOGIN_PEER_BUCKETS];
};

unsigned login_delay_ms(unsigned failures)
{
	unsigned delay = LOGIN_DELAY_FIRST_MS;

	if (failures == 0)
		return 0;
	while (--failures && delay < LOGIN_DELAY_MAX_MS)
		delay *= 2;
	return delay < LOGIN_DELAY_MAX_MS ? delay : LOGIN_DELAY_MAX_MS;
}

struct login_guard *login_guard_new(const uint8_t *key, struct error *e)
{
	struct login_guard *g = calloc(1, sizeof(*g));

	if (!g) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&g->lock, NULL);
	if (key)
		memcpy(g->key, key, sizeof(g->key));
	else
		random_bytes(g->key, sizeof(g->key));
	return g;
}

void login_guard_free(struct login_guard *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static struct bucket *find(struct login_guard *g, struct bucket *table,
			   size_t count, const void *name, size_t len)
{
	uint8_t input[LOGIN_GUARD_KEY_SIZE + NAME_MAX_BYTES], hash[SHA256_SIZE];

	if (len > NAME_MAX_BYTES)
		len = NAME_MAX_BYTES;
	memcpy(input, g->key, LOGIN_GUARD_KEY_SIZE);
	if (len)
		memcpy(input + LOGIN_GUARD_KEY_SIZE, name, len);
	sha256_of(view_of(input, LOGIN_GUARD_KEY_SIZE + len), hash);
	return &table[((unsigned)hash[0] << 8 | hash[1]) % count];
}

static struct bucket *account_of(struct login_guard *g, const char *id)
{
	return find(g, g->accounts, LOGIN_ACCOUNT_BUCKETS, id, strlen(id));
}

/* Whoever has an IPv6 address has 2^64 of them. */
static struct bucket *peer_of(struct login_guard *g, const char *peer)
{
	struct in6_addr in6;

	if (inet_pton(AF_INET6, peer, &in6) == 1 && !IN6_IS_ADDR_V4MAPPED(&in6))
		return find(g, g->peers, LOGIN_PEER_BUCKETS, &in6, 8);
	return find(g, g->peers, LOGIN_PEER_BUCKETS, peer, strlen(peer));
}

static unsigned failures_of(struct bucket *b, int64_t now_ms)
{
	if (b->failures && now_ms - b->last_ms > LOGIN_FORGET_MS)
		b->failures = 0;
	return b->failures;
}

static unsigned delay_locked(struct login_guard *g, const char *id,
			     const char *peer, int64_t now_ms)
{
	unsigned by_id = failures_of(account_of(g, id), now_ms);
	unsigned by_peer = failures_of(peer_of(g, peer), now_ms);

	return login_delay_ms(by_id > by_peer ? by_id : by_peer);
}

unsigned login_guard_delay(struct login_guard *g, const char *id,
			   const char *peer, int64_t now_ms)
{
	unsigned delay;

	pthread_mutex_lock(&g->lock);
	delay = delay_locked(g, id, peer, now_ms);
	pthread_mutex_unlock(&g->lock);
	return delay;
}

static void count_failure(struct bucket *b, int64_t now_ms)
{
	if (failures_of(b, now_ms) < UINT16_MAX)
		b->failures++;
	b->last_ms = now_ms;
}

void login_guard_failed(struct login_guard *g, const char *id, const char *peer,
			int64_t now_ms)
{
	pthread_mutex_lock(&g->lock);
	count_failure(account_of(g, id), now_ms);
	count_failure(peer_of(g, peer), now_ms);
	pthread_mutex_unlock(&g->lock);
}

void login_guard_passed(struct login_guard *g, const char *id, const char *peer)
{
	struct bucket *account, *from;

	pthread_mutex_lock(&g->lock);
	account = account_of(g, id);
	from = peer_of(g, peer);
	from->failures -= from->failures < account->failures
			      ? from->failures
			      : account->failures;
	account->failures = 0;
	pthread_mutex_unlock(&g->lock);
}

static void sleep_ms(unsigned ms)
{
	struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
}

/* Takes a waiting place; false when there is none. A peer's further callers
 * count as those of one that failed: many at once are no mistyped password. */
static bool take_place(struct login_guard *g, struct bucket *from,
		       bool *reserved)
{
	*reserved = from->failures == 0 && from->waiting == 0;
	if (g->waiting >= LOGIN_WAITING_MAX ||
	    from->waiting >= LOGIN_WAITING_PER_PEER_MAX ||
	    (!*reserved &&
	     g->unreserved >= LOGIN_WAITING_MAX - LOGIN_WAITING_RESERVED))
		return false;
	g->waiting++;
	g->unreserved += !*reserved;
	from->waiting++;
	return true;
}

int login_guard_wait(struct login_guard *g, const char *id, const char *peer,
		     struct error *e)
{
	struct bucket *from = peer_of(g, peer);
	bool full, reserved = false;
	unsigned delay;

	pthread_mutex_lock(&g->lock);
	delay = delay_locked(g, id, peer, clock_monotonic_ms());
	full = delay && !take_place(g, from, &reserved);
	pthread_mutex_unlock(&g->lock);
	if (full)
		return error_set(e, ERR_AUTH, "too many log-ins wait");
	if (!delay)
		return 0;
	sleep_ms(delay);
	pthread_mutex_lock(&g->lock);
	g->waiting--;
	g->unreserved -= !reserved;
	from->waiting--;
	pthread_mutex_unlock(&g->lock);
	return 0;
}

unsigned login_guard_refused(struct login_guard *g, int64_t now_ms)
{
	unsigned count = 0;

	pthread_mutex_lock(&g->lock);
	if (g->refused < UINT32_MAX)
		g->refused++;
	if (!g->told || now_ms - g->told_ms >= LOGIN_TELL_MS) {
		count = g->refused;
		g->refused = 0;
		g->told = true;
		g->told_ms = now_ms;
	}
	pthread_mutex_unlock(&g->lock);
	return count;
}
