/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sdp.h"

#include <string.h>

#include "base/base64.h"
#include "base/secret.h"

enum { EVENT_PAYLOAD = 101, KEY_TEXT_MAX = 64 };

static const struct {
	const char *name;
	int payload; /* static, RFC 3551 6 */
} codecs[SDP_CODEC_COUNT] = {
	[SDP_PCMU] = { "PCMU", 0 },
	[SDP_PCMA] = { "PCMA", 8 },
};

static const char *const suites[SDP_SUITE_COUNT] = {
	[SDP_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
	[SDP_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
};

static const struct {
	const char *name;
	unsigned bits; /* 1: sends, 2: receives */
} directions[SDP_DIRECTION_COUNT] = {
	[SDP_SENDRECV] = { "sendrecv", 3 },
	[SDP_SENDONLY] = { "sendonly", 1 },
	[SDP_RECVONLY] = { "recvonly", 2 },
	[SDP_INACTIVE] = { "inactive", 0 },
};

const char *sdp_codec_name(enum sdp_codec c)
{
	return (unsigned)c < SDP_CODEC_COUNT ? codecs[c].name : "";
}

int sdp_codec_payload(enum sdp_codec c)
{
	return codecs[c].payload;
}

const char *sdp_suite_name(enum sdp_suite s)
{
	return (unsigned)s < SDP_SUITE_COUNT ? suites[s] : "";
}

const char *sdp_direction_name(enum sdp_direction d)
{
	return (unsigned)d < SDP_DIRECTION_COUNT ? directions[d].name : "";
}

enum sdp_direction sdp_agree(enum sdp_direction wanted,
			     enum sdp_direction theirs)
{
	static const enum sdp_direction of[] = { SDP_INACTIVE, SDP_SENDONLY,
						 SDP_RECVONLY, SDP_SENDRECV };
	unsigned t = directions[theirs].bits;

	/* What they send we may receive. */
	return of[directions[wanted].bits & (t >> 1 | (t & 1) << 1)];
}

/* --- writing */

static int add_head(const struct sdp_local *l, struct buf *out, struct error *e)
{
	const char *family = strchr(l->address, ':') ? "IP6" : "IP4";

	return buf_addf(out, e,
			"v=0\r\n"
			"o=- %llu %llu IN %s %s\r\n"
			"s=-\r\n"
			"c=IN %s %s\r\n"
			"t=0 0\r\n",
			(unsigned long long)l->session,
			(unsigned long long)l->version, family, l->address,
			family, l->address);
}

/* The text of the key is wiped with the buffer by whoever owns that. */
static int add_crypto(const struct sdp_crypto *c, struct buf *out,
		      struct error *e)
{
	struct buf key;
	int rc;

	if (!c->present)
		return 0;
	buf_init_secret(&key, KEY_TEXT_MAX);
	rc = base64_encode(view_of(c->key, SDP_SRTP_KEY), &key, e);
	if (rc == 0)
		rc = buf_addf(out, e, "a=crypto:%u %s inline:%s\r\n", c->tag,
			      suites[c->suite], buf_cstr(&key));
	buf_free(&key);
	return rc;
}

static int add_event(int payload, struct buf *out, struct error *e)
{
	return buf_addf(out, e,
			"a=rtpmap:%d telephone-event/8000\r\n"
			"a=fmtp:%d 0-15\r\n",
			payload, payload);
}

static int add_tail(enum sdp_direction d, const struct sdp_crypto *c,
		    struct buf *out, struct error *e)
{
	if (buf_addf(out, e, "a=ptime:20\r\na=%s\r\n", directions[d].name) < 0)
		return -1;
	return add_crypto(c, out, e);
}

static const char *profile(const struct sdp_crypto *c)
{
	return c->present ? "RTP/SAVP" : "RTP/AVP";
}

int sdp_write_offer(const struct sdp_local *l, struct buf *out, struct error *e)
{
	if (add_head(l, out, e) < 0 ||
	    buf_addf(out, e, "m=audio %u %s", (unsigned)l->port,
		     profile(&l->crypto)) < 0)
		return -1;
	for (int c = 0; c < SDP_CODEC_COUNT; c++)
		if (buf_addf(out, e, " %d", codecs[c].payload) < 0)
			return -1;
	if (buf_addf(out, e, " %d\r\n", EVENT_PAYLOAD) < 0)
		return -1;
	for (int c = 0; c < SDP_CODEC_COUNT; c++)
		if (buf_addf(out, e, "a=rtpmap:%d %s/8000\r\n",
			     codecs[c].payload, codecs[c].name) < 0)
			return -1;
	if (add_event(EVENT_PAYLOAD, out, e) < 0)
		return -1;
	return add_tail(l->direction, &l->crypto, out, e);
}

static int add_audio(const struct sdp_remote *offer, const struct sdp_local *l,
		     struct buf *out, struct error *e)
{
	int payload = offer->payload[offer->first];
	struct sdp_crypto crypto = l->crypto;
	int rc = -1;

	crypto.present = offer->srtp;
	crypto.tag = offer->crypto.tag;
	crypto.suite = offer->crypto.suite;
	if (buf_addf(out, e, "m=audio %u %s %d", (unsigned)l->port,
		     profile(&crypto), payload) < 0 ||
	    (offer->event >= 0 && buf_addf(out, e, " %d", offer->event) < 0) ||
	    buf_addf(out, e, "\r\na=rtpmap:%d %s/8000\r\n", payload,
		     codecs[offer->first].name) < 0 ||
	    (offer->event >= 0 && add_event(offer->event, out, e) < 0))
		goto out;
	rc = add_tail(sdp_agree(l->direction, offer->direction), &crypto, out,
		      e);
out:
	secret_wipe(&crypto, sizeof(crypto));
	return rc;
}

int sdp_write_answer(const struct sdp_remote *offer, const struct sdp_local *l,
		     struct buf *out, struct error *e)
{
	if (add_head(l, out, e) < 0)
		return -1;
	for (size_t i = 0; i < offer->count; i++) {
		const struct sdp_line *line = &offer->lines[i];

		/* RFC 3264 6: a declined stream has port 0. */
		if (i == offer->audio
			? add_audio(offer, l, out, e) < 0
			: buf_addf(out, e, "m=%s 0 %s %s\r\n", line->media,
				   line->proto, line->format) < 0)
			return -1;
	}
	return 0;
}
