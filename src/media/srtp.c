/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/srtp.h"

#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum {
	WINDOW = 128, /* packets that may come late, RFC 3711 3.3.2 */
	RTP_HEAD = 12,
	RTCP_HEAD = 8,
	RTCP_INDEX = 4,
	TAG_80 = 10,
	TAG_32 = 4,
};

struct srtp_lane {
	enum srtp_direction direction;
	struct srtp_key key;
	srtp_t session;
	/* Those that proved to have the key: libsrtp2 keeps each for ever. */
	uint32_t sources[SRTP_SOURCES_MAX];
	size_t count;
};

/* --- the library ---------------------------------------------------------- */

static pthread_once_t started = PTHREAD_ONCE_INIT;
static srtp_err_status_t start_status;
static srtp_t kept;

static void set_policy(srtp_policy_t *p, enum srtp_direction direction,
		       enum srtp_suite suite, uint8_t *key)
{
	memset(p, 0, sizeof(*p));
	if (suite == SRTP_SHA1_80)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
	srtp_crypto_policy_set_rtcp_default(&p->rtcp);
	p->ssrc.type =
	    direction == SRTP_INBOUND ? ssrc_any_inbound : ssrc_any_outbound;
	p->key = key;
	p->window_size = WINDOW;
}

/* Debian's libsrtp2 sets NSS up with the first cipher and takes it down with
 * the last. One session that nobody uses keeps it there, so that no call pays
 * for that. */
static void start(void)
{
	uint8_t key[SRTP_KEY_BYTES];
	srtp_policy_t policy;

	start_status = srtp_init();
	if (start_status != srtp_err_status_ok)
		return;
	random_bytes(key, sizeof(key));
	set_policy(&policy, SRTP_OUTBOUND, SRTP_SHA1_80, key);
	start_status = srtp_create(&kept, &policy);
	secret_wipe(key, sizeof(key));
}

static int fail(srtp_err_status_t status, const char *what, struct error *e)
{
	if (status == srtp_err_status_alloc_fail)
		return error_nomem(e);
	return error_set_native(e, ERR_INTERNAL, (long)status,
				"libsrtp2: %s: error %d", what, (int)status);
}

int srtp_start(struct error *e)
{
	pthread_once(&started, start);
	if (start_status != srtp_err_status_ok)
		return fail(start_status, "start", e);
	return 0;
}

/* --- lanes ---------------------------------------------------------------- */

struct srtp_lane *srtp_lane_new(enum srtp_direction direction,
				const struct srtp_key *key, struct error *e)
{
	struct srtp_lane *l;
	srtp_policy_t policy;
	srtp_err_status_t status;

	if ((unsigned)key->suite >= SRTP_SUITE_COUNT) {
		error_set(e, ERR_INPUT, "no such SRTP suite");
		return NULL;
	}
	if (srtp_start(e) < 0)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l) {
		error_nomem(e);
		return NULL;
	}
	l->direction = direction;
	l->key = *key;
	set_policy(&policy, direction, key->suite, l->key.bytes);
	status = srtp_create(&l->session, &policy);
	if (status != srtp_err_status_ok) {
		l->session = NULL;
		srtp_lane_free(l);
		fail(status, "session", e);
		return NULL;
	}
	return l;
}

void srtp_lane_free(struct srtp_lane *l)
{
	if (!l)
		return;
	if (l->session)
		srtp_dealloc(l->session);
	secret_wipe(l, sizeof(*l));
	free(l);
}

bool srtp_lane_has_key(const struct srtp_lane *l, const struct srtp_key *key)
{
	return l && l->key.suite == key->suite &&
	       secret_equal(l->key.bytes, key->bytes, SRTP_KEY_BYTES);
}

/* --- packets -------------------------------------------------------------- */

bool srtp_lane_protect(struct srtp_lane *l, enum srtp_kind kind,
		       uint8_t *packet, size_t *n, size_t size)
{
	int length = (int)*n;
	srtp_err_status_t status;

	if (l->direction != SRTP_OUTBOUND || *n > SRTP_PACKET_MAX ||
	    *n < (kind == SRTP_RTP ? RTP_HEAD : RTCP_HEAD) ||
	    size < *n + SRTP_TRAILER_MAX)
		return false;
	status = kind == SRTP_RTP
		     ? srtp_protect(l->session, packet, &length)
		     : srtp_protect_rtcp(l->session, packet, &length);
	if (status != srtp_err_status_ok)
		return false;
	*n = (size_t)length;
	return true;
}

static size_t least(const struct srtp_lane *l, enum srtp_kind kind)
{
	if (kind == SRTP_RTCP)
		return RTCP_HEAD + RTCP_INDEX + TAG_80;
	return RTP_HEAD + (l->key.suite == SRTP_SHA1_80 ? TAG_80 : TAG_32);
}

static uint32_t source_of(const uint8_t *packet, enum srtp_kind kind)
{
	const uint8_t *p = packet + (kind == SRTP_RTP ? 8 : 4);

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static bool is_known(const struct srtp_lane *l, uint32_t source)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->sources[i] == source)
			return true;
	return false;
}

static enum srtp_verdict judge(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok: return SRTP_GENUINE;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
	case srtp_err_status_pkt_idx_old: return SRTP_REPLAYED;
	case srtp_err_status_bad_param:
	case srtp_err_status_parse_err: return SRTP_BROKEN;
	case srtp_err_status_key_expired:
	case srtp_err_status_alloc_fail: return SRTP_SPENT;
	default: return SRTP_FORGED;
	}
}

enum srtp_verdict srtp_lane_unprotect(struct srtp_lane *l, enum srtp_kind kind,
				      uint8_t *packet, size_t *n)
{
	int length = (int)*n;
	uint32_t source;
	enum srtp_verdict verdict;
	bool known;

	if (l->direction != SRTP_INBOUND || *n < least(l, kind) ||
	    *n > SRTP_PACKET_MAX || packet[0] >> 6 != 2)
		return SRTP_BROKEN;
	source = source_of(packet, kind);
	known = is_known(l, source);
	if (!known && l->count == SRTP_SOURCES_MAX)
		return SRTP_SPENT;
	verdict = judge(kind == SRTP_RTP
			    ? srtp_unprotect(l->session, packet, &length)
			    : srtp_unprotect_rtcp(l->session, packet, &length));
	if (verdict != SRTP_GENUINE)
		return verdict;
	if (!known)
		l->sources[l->count++] = source;
	*n = (size_t)length;
	return SRTP_GENUINE;
}
