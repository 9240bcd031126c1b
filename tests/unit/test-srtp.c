/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/lib/unit.h"
#include "tests/unit/media_peer.h"

/* Protected packets against a session of libsrtp2 that the test has made. */

static const struct srtp_key keys[SRTP_SUITE_COUNT] = {
	{ SRTP_SHA1_80, "abcdefghijklmnopqrstuvwxyz1234" },
	{ SRTP_SHA1_32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ5678" },
};

struct packet {
	_Alignas(8) uint8_t bytes[PEER_BYTES];
	size_t n;
};

static struct srtp_lane *lane(enum srtp_direction d, const struct srtp_key *k)
{
	struct error e = ERROR_INIT;
	struct srtp_lane *l = srtp_lane_new(d, k, &e);

	CHECK_OBJECT(l, &e);
	return l;
}

static struct packet rtp(uint32_t ssrc, uint16_t sequence, const char *payload)
{
	const struct rtp_packet p = { .sequence = sequence,
				      .ssrc = ssrc,
				      .payload = view_str(payload) };
	struct packet out = { .n = 0 };

	out.n = rtp_write(&p, out.bytes, sizeof(out.bytes));
	return out;
}

static struct packet sealed(srtp_t s, uint32_t ssrc, uint16_t sequence)
{
	struct packet p = rtp(ssrc, sequence, "what is said");
	int n = (int)p.n;

	CU_ASSERT_EQUAL_FATAL(srtp_protect(s, p.bytes, &n), srtp_err_status_ok);
	p.n = (size_t)n;
	return p;
}

static struct packet report(uint32_t ssrc)
{
	struct packet p = { .n = 0 };

	p.n = rtcp_write(ssrc, NULL, NULL, "name", false, p.bytes,
			 sizeof(p.bytes));
	return p;
}

static enum srtp_verdict take(struct srtp_lane *l, enum srtp_kind kind,
			      const struct packet *p)
{
	struct packet copy = *p;

	return srtp_lane_unprotect(l, kind, copy.bytes, &copy.n);
}

/* What we seal, they open, and the tag is as long as the suite says. */
static void test_protect(void)
{
	static const size_t tags[SRTP_SUITE_COUNT] = { 10, 4 };

	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct srtp_lane *l = lane(SRTP_OUTBOUND, &keys[i]);
		srtp_t theirs = peer_session(&keys[i], true);
		struct packet plain = rtp(7, 1000, "hello"), p = plain;
		struct packet c = report(7), q = c;
		int n;

		CU_ASSERT_TRUE(srtp_lane_protect(l, SRTP_RTP, p.bytes, &p.n,
						 sizeof(p.bytes)));
		CU_ASSERT_EQUAL(p.n, plain.n + tags[i]);
		CU_ASSERT_NOT_EQUAL(memcmp(p.bytes + 12, "hello", 5), 0);
		n = (int)p.n;
		CU_ASSERT_EQUAL(srtp_unprotect(theirs, p.bytes, &n),
				srtp_err_status_ok);
		CU_ASSERT_EQUAL((size_t)n, plain.n);
		CU_ASSERT_EQUAL(memcmp(p.bytes, plain.bytes, plain.n), 0);
		CU_ASSERT_TRUE(srtp_lane_protect(l, SRTP_RTCP, q.bytes, &q.n,
						 sizeof(q.bytes)));
		CU_ASSERT_EQUAL(q.n, c.n + SRTP_TRAILER_MAX);
		n = (int)q.n;
		CU_ASSERT_EQUAL(srtp_unprotect_rtcp(theirs, q.bytes, &n),
				srtp_err_status_ok);
		CU_ASSERT_EQUAL(memcmp(q.bytes, c.bytes, c.n), 0);
		srtp_dealloc(theirs);
		srtp_lane_free(l);
	}
}

static void test_unprotect(void)
{
	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct srtp_lane *l = lane(SRTP_INBOUND, &keys[i]);
		srtp_t theirs = peer_session(&keys[i], false);
		struct packet p = sealed(theirs, 7, 65535), copy = p;
		struct packet q;

		CU_ASSERT_EQUAL(srtp_lane_unprotect(l, SRTP_RTP, p.bytes, &p.n),
				SRTP_GENUINE);
		CU_ASSERT_EQUAL(p.n, 12 + strlen("what is said"));
		CU_ASSERT_EQUAL(memcmp(p.bytes + 12, "what is said", 12), 0);
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &copy), SRTP_REPLAYED);
		/* The sequence wraps; what was seen stays seen. */
		q = sealed(theirs, 7, 0);
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &q), SRTP_GENUINE);
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &q), SRTP_REPLAYED);
		for (uint16_t s = 1; s < 300; s++) {
			q = sealed(theirs, 7, s);
			CU_ASSERT_EQUAL(take(l, SRTP_RTP, &q), SRTP_GENUINE);
		}
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &copy), SRTP_REPLAYED);
		srtp_dealloc(theirs);
		srtp_lane_free(l);
	}
}

static void test_rtcp(void)
{
	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct srtp_lane *l = lane(SRTP_INBOUND, &keys[i]);
		srtp_t theirs = peer_session(&keys[i], false);
		struct packet plain = report(9), p = plain, bent;
		int n = (int)p.n;

		CU_ASSERT_EQUAL(srtp_protect_rtcp(theirs, p.bytes, &n),
				srtp_err_status_ok);
		p.n = (size_t)n;
		bent = p;
		bent.bytes[9] ^= 1;
		CU_ASSERT_EQUAL(take(l, SRTP_RTCP, &bent), SRTP_FORGED);
		CU_ASSERT_EQUAL(take(l, SRTP_RTCP, &p), SRTP_GENUINE);
		CU_ASSERT_EQUAL(take(l, SRTP_RTCP, &p), SRTP_REPLAYED);
		CU_ASSERT_NOT_EQUAL(take(l, SRTP_RTCP, &plain), SRTP_GENUINE);
		srtp_dealloc(theirs);
		srtp_lane_free(l);
	}
}

/* Every byte counts, whatever is cut off is missed. */
static void test_forged(void)
{
	for (int i = 0; i < SRTP_SUITE_COUNT; i++) {
		struct srtp_lane *l = lane(SRTP_INBOUND, &keys[i]);
		srtp_t theirs = peer_session(&keys[i], false);
		struct packet p = sealed(theirs, 7, 5), bent;

		for (size_t at = 0; at < p.n; at++) {
			bent = p;
			bent.bytes[at] ^= 0x10;
			CU_ASSERT_NOT_EQUAL(take(l, SRTP_RTP, &bent),
					    SRTP_GENUINE);
		}
		for (size_t n = 0; n < p.n; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			size_t size = n;

			CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
			memcpy(exact, p.bytes, n);
			CU_ASSERT_NOT_EQUAL(
			    srtp_lane_unprotect(l, SRTP_RTP, exact, &size),
			    SRTP_GENUINE);
			size = n;
			CU_ASSERT_NOT_EQUAL(
			    srtp_lane_unprotect(l, SRTP_RTCP, exact, &size),
			    SRTP_GENUINE);
			free(exact);
		}
		/* None of that spoils the true one. */
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_GENUINE);
		srtp_dealloc(theirs);
		srtp_lane_free(l);
	}
}

static void test_wrong_key(void)
{
	struct srtp_key other = keys[0];
	struct srtp_lane *l = lane(SRTP_INBOUND, &keys[0]);
	srtp_t suite = peer_session(&keys[1], false), key;
	struct packet p;

	other.bytes[SRTP_KEY_BYTES - 1] ^= 1; /* in the salt */
	key = peer_session(&other, false);
	p = sealed(key, 7, 1);
	CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_FORGED);
	p = sealed(suite, 7, 1);
	CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_FORGED);
	p = rtp(7, 1, "not sealed at all");
	CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_FORGED);
	CU_ASSERT_TRUE(srtp_lane_has_key(l, &keys[0]));
	CU_ASSERT_FALSE(srtp_lane_has_key(l, &other));
	other = keys[0];
	other.suite = SRTP_SHA1_32;
	CU_ASSERT_FALSE(srtp_lane_has_key(l, &other));
	CU_ASSERT_FALSE(srtp_lane_has_key(NULL, &keys[0]));
	srtp_dealloc(key);
	srtp_dealloc(suite);
	srtp_lane_free(l);
}

/* Each source costs memory: the first ones go on, more are refused, and forged
 * ones do not count. */
static void test_sources(void)
{
	struct srtp_lane *l = lane(SRTP_INBOUND, &keys[0]);
	srtp_t theirs = peer_session(&keys[0], false);
	struct packet p;

	for (uint32_t i = 0; i < 3 * SRTP_SOURCES_MAX; i++) {
		p = rtp(0x1000 + i, 1, "not sealed at all");
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_FORGED);
	}
	for (uint32_t i = 0; i < SRTP_SOURCES_MAX; i++) {
		p = sealed(theirs, i, 1);
		CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_GENUINE);
	}
	p = sealed(theirs, SRTP_SOURCES_MAX, 1);
	CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_SPENT);
	p = sealed(theirs, 0, 2);
	CU_ASSERT_EQUAL(take(l, SRTP_RTP, &p), SRTP_GENUINE);
	srtp_dealloc(theirs);
	srtp_lane_free(l);
}

static void test_refused(void)
{
	struct error e = ERROR_INIT;
	struct srtp_key key = keys[0];
	struct srtp_lane *in = lane(SRTP_INBOUND, &keys[0]);
	struct srtp_lane *out = lane(SRTP_OUTBOUND, &keys[0]);
	struct packet p = rtp(1, 1, "abc");
	size_t huge = SRTP_PACKET_MAX + 1, small = 11, n = p.n;

	key.suite = SRTP_SUITE_COUNT;
	CU_ASSERT_PTR_NULL(srtp_lane_new(SRTP_INBOUND, &key, &e));
	CU_ASSERT_EQUAL(e.kind, ERR_INPUT);
	CU_ASSERT_FALSE(srtp_lane_protect(in, SRTP_RTP, p.bytes, &n, 100));
	CU_ASSERT_FALSE(srtp_lane_protect(out, SRTP_RTP, p.bytes, &n,
					  n + SRTP_TRAILER_MAX - 1));
	CU_ASSERT_FALSE(
	    srtp_lane_protect(out, SRTP_RTP, p.bytes, &huge, sizeof(p.bytes)));
	CU_ASSERT_FALSE(srtp_lane_protect(out, SRTP_RTP, p.bytes, &small, 100));
	CU_ASSERT_TRUE(srtp_lane_protect(out, SRTP_RTP, p.bytes, &n, 100));
	CU_ASSERT_EQUAL(srtp_lane_unprotect(out, SRTP_RTP, p.bytes, &n),
			SRTP_BROKEN);
	CU_ASSERT_EQUAL(srtp_lane_unprotect(in, SRTP_RTP, p.bytes, &huge),
			SRTP_BROKEN);
	srtp_lane_free(in);
	srtp_lane_free(out);
	srtp_lane_free(NULL);
}

/* Bytes that begin like a packet, in memory of their own length. */
static void test_random(void)
{
	struct srtp_lane *l = lane(SRTP_INBOUND, &keys[1]);
	unsigned seed = 3711;

	for (int round = 0; round < 5000; round++) {
		size_t n = (size_t)rand_r(&seed) % 96, size = n;
		uint8_t *in = malloc(n ? n : 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(rand_r(&seed) >> 7);
		if (n)
			in[0] = (uint8_t)(0x80 | (in[0] & 0x3f));
		CU_ASSERT_NOT_EQUAL(
		    srtp_lane_unprotect(l, round % 2 ? SRTP_RTP : SRTP_RTCP, in,
					&size),
		    SRTP_GENUINE);
		free(in);
	}
	srtp_lane_free(l);
}

static const struct unit_test tests[] = {
	{ "what we seal, they open", test_protect },
	{ "what they seal, we open, once", test_unprotect },
	{ "SRTCP", test_rtcp },
	{ "changed and cut packets", test_forged },
	{ "wrong keys", test_wrong_key },
	{ "many sources", test_sources },
	{ "what is refused", test_refused },
	{ "any bytes", test_random },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "srtp", tests, NULL, NULL);
}
