/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit/audit_meter.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/hash.h"

enum { PEER_BYTES_MAX = 64 };

static const struct {
	enum audit_event event;
	bool unknown_only; /* of callers who have proved nothing (via "") */
} metered[AUDIT_METER_EVENTS] = {
	{ AUDIT_LOGIN_FAILED, false },
	{ AUDIT_ACCESS_DENIED, false },
	{ AUDIT_LOGIN, true },
	{ AUDIT_LOGOUT, false },
};

static unsigned bucket_of(const struct audit_meter *m, const void *bytes,
			  size_t len)
{
	uint8_t input[sizeof(m->key) + PEER_BYTES_MAX], hash[SHA256_SIZE];

	if (len > PEER_BYTES_MAX)
		len = PEER_BYTES_MAX;
	memcpy(input, m->key, sizeof(m->key));
	memcpy(input + sizeof(m->key), bytes, len);
	sha256_of(view_of(input, sizeof(m->key) + len), hash);
	return hash[0] % AUDIT_METER_PEERS;
}

static unsigned find_peer(const struct audit_meter *m, const char *peer)
{
	struct in6_addr in6;

	/* Whoever has an IPv6 address has 2^64 of them. */
	if (inet_pton(AF_INET6, peer, &in6) == 1 && !IN6_IS_ADDR_V4MAPPED(&in6))
		return bucket_of(m, &in6, 8);
	return bucket_of(m, peer, strlen(peer));
}

/* A bucket that fills by one drop every so many milliseconds, as the time at
 * which it would be full. */
static bool has_drop(int64_t full_at_ms, int64_t each_ms, int64_t burst,
		     int64_t now_ms)
{
	return full_at_ms + each_ms <= now_ms + burst * each_ms;
}

static void take_drop(int64_t *full_at_ms, int64_t each_ms, int64_t now_ms)
{
	*full_at_ms = (*full_at_ms > now_ms ? *full_at_ms : now_ms) + each_ms;
}

static bool admit(struct audit_meter_rates *r, int64_t *peer, int64_t now_ms)
{
	if (!has_drop(*peer, AUDIT_METER_PEER_EACH_MS, AUDIT_METER_PEER_BURST,
		      now_ms) ||
	    !has_drop(r->all, AUDIT_METER_ALL_EACH_MS, AUDIT_METER_ALL_BURST,
		      now_ms))
		return false;
	take_drop(peer, AUDIT_METER_PEER_EACH_MS, now_ms);
	take_drop(&r->all, AUDIT_METER_ALL_EACH_MS, now_ms);
	return true;
}

bool audit_meter_admit(struct audit_meter *m, enum audit_event event,
		       const struct audit_actor *actor, int64_t now_ms)
{
	struct audit_meter_rates *r;
	int i = 0;

	while (i < AUDIT_METER_EVENTS && metered[i].event != event)
		i++;
	if (i == AUDIT_METER_EVENTS || !strcmp(actor->peer, "local") ||
	    (metered[i].unknown_only && actor->via && actor->via[0]))
		return true;
	r = &m->events[i];
	if (admit(r, &r->peers[find_peer(m, actor->peer)], now_ms))
		return true;
	if (r->suppressed == 0)
		r->began_ms = now_ms;
	if (r->suppressed < UINT32_MAX)
		r->suppressed++;
	return false;
}

bool audit_meter_settle(struct audit_meter *m, int64_t now_ms, bool all,
			enum audit_event *event_out, uint32_t *count_out)
{
	for (int i = 0; i < AUDIT_METER_EVENTS; i++) {
		struct audit_meter_rates *r = &m->events[i];

		if (!r->suppressed ||
		    (!all && now_ms - r->began_ms < AUDIT_METER_TELL_MS))
			continue;
		*event_out = metered[i].event;
		*count_out = r->suppressed;
		r->suppressed = 0;
		return true;
	}
	return false;
}
