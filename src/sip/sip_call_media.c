/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/secret.h"
#include "sip/sip_call_private.h"

/* Offers and answers (RFC 3264) and the stream that they are about. */

int call_media_open(struct sip_call *k, const char *address, struct error *e)
{
	const struct sip_calls *c = k->calls;
	struct media_stream_options o = {
		.address = address,
		.silence_ms = k->rules.media_seconds * 1000,
		.silent = call_silent,
		.arg = k->calls,
	};
	struct call_media *m = &k->media;
	struct media_local local;

	if (media_open(c->o.media, &o, &local, e) < 0)
		return -1;
	m->id = local.id;
	m->port = local.port;
	snprintf(m->address, sizeof(m->address), "%s", address);
	if (!m->session) {
		random_bytes(&m->session, sizeof(m->session));
		m->session >>= 2; /* some read it as a signed number */
		m->version = m->session;
	}
	return 0;
}

void call_media_count(const struct sip_call *k, struct sip_call_facts *out)
{
	struct error e = ERROR_INIT;
	struct media_stats s;

	if (!k->media.id ||
	    media_stats(k->calls->o.media, k->media.id, &s, &e) < 0)
		return;
	out->packets_in = s.packets_in;
	out->packets_out = s.packets_out;
	out->packets_lost = s.lost;
}

void call_media_close(struct sip_call *k)
{
	if (k->media.id)
		media_close(k->calls->o.media, k->media.id);
	k->media.id = 0;
	k->media.agreed = false;
	secret_wipe(&k->media.key, sizeof(k->media.key));
	buf_clear(&k->media.said);
}

/* --- what they say, put in force */

static bool is_held(const struct sdp_remote *r)
{
	return r->direction == SDP_SENDONLY || r->direction == SDP_INACTIVE;
}

static void add_type(struct media_remote *to, int type)
{
	for (unsigned i = 0; i < to->payload_count; i++)
		if (to->payload_types[i] == type)
			return;
	if (type >= 0 && to->payload_count < MEDIA_PAYLOADS_MAX)
		to->payload_types[to->payload_count++] = (uint8_t)type;
}

static void fill_key(const struct sdp_crypto *from, struct srtp_key *to)
{
	to->suite = (enum srtp_suite)from->suite;
	memcpy(to->bytes, from->key, sizeof(to->bytes));
}

/* all: each of their codecs may come, for they answer; else the first. */
static int put_in_force(struct sip_call *k, const struct sdp_remote *r,
			const struct sdp_crypto *ours, bool all,
			struct error *e)
{
	enum sdp_direction agreed = sdp_agree(SDP_SENDRECV, r->direction);
	struct media_remote remote = {
		.address = r->address,
		.port = r->port,
		.rtcp_port = r->rtcp_port,
		.send = agreed == SDP_SENDRECV || agreed == SDP_SENDONLY,
		/* Music while we are held is for nobody, and that it stops is
		 * no fault: nothing is expected then. */
		.receive = agreed == SDP_SENDRECV || agreed == SDP_RECVONLY,
		.secure = r->srtp,
	};
	int rc;

	if (is_held(r))
		remote.receive = false;
	add_type(&remote, r->payload[r->first]);
	for (int i = 0; all && i < SDP_CODEC_COUNT; i++)
		add_type(&remote, r->payload[i]);
	add_type(&remote, r->event);
	if (r->srtp) {
		fill_key(&r->crypto, &remote.in);
		fill_key(ours, &remote.out);
	}
	rc = media_set_remote(k->calls->o.media, k->media.id, &remote, e);
	secret_wipe(&remote.in, sizeof(remote.in));
	secret_wipe(&remote.out, sizeof(remote.out));
	return rc;
}

static void note(struct sip_call *k, const struct sdp_remote *r)
{
	struct sip_call_facts *f = &k->facts;

	k->media.agreed = true;
	f->held = is_held(r);
	f->encryption = r->srtp ? SIP_ENCRYPTED : SIP_UNENCRYPTED;
	snprintf(f->codec, sizeof(f->codec), "%s", sdp_codec_name(r->first));
}

/* --- what we say */

/* A key goes on as long as its suite does. */
static void choose_key(const struct sip_call *k, enum sdp_suite suite,
		       unsigned tag, struct sdp_crypto *out)
{
	*out = k->media.key;
	out->tag = tag;
	if (out->present && out->suite == suite)
		return;
	out->present = true;
	out->suite = suite;
	random_bytes(out->key, sizeof(out->key));
}

static struct sdp_local local_of(const struct sip_call *k)
{
	return (struct sdp_local){
		.address = k->media.address,
		.port = k->media.port,
		.session = k->media.session,
		.version = k->media.version + 1,
		.direction = SDP_SENDRECV,
	};
}

/* What was written becomes what we have said. */
static void say(struct sip_call *k, struct buf *text,
		const struct sdp_local *local)
{
	struct buf old = k->media.said;

	k->media.said = *text;
	*text = old;
	k->media.version = local->version;
	k->media.key = local->crypto;
}

static int answer(struct sip_call *k, const struct sdp_remote *r,
		  struct sdp_local *l, struct buf *text, struct error *e)
{
	if (r->srtp)
		choose_key(k, r->crypto.suite, r->crypto.tag, &l->crypto);
	if (sdp_write_answer(r, l, text, e) < 0)
		return -1;
	return put_in_force(k, r, &l->crypto, false, e);
}

/* An address of media that is none for us is no reason to take the stream for
 * unreadable: 488. */
static void blame_address(struct error *e)
{
	if (e->kind == ERR_INPUT)
		e->kind = ERR_UNSUPPORTED;
}

int call_media_answer(struct sip_call *k, struct view offer, struct error *e)
{
	struct sdp_local l = local_of(k);
	struct sdp_remote r;
	struct buf text;
	int rc;

	if (sdp_read(offer, &r, e) < 0)
		return -1;
	buf_init_secret(&text, CALL_BODY_MAX);
	rc = answer(k, &r, &l, &text, e);
	if (rc == 0) {
		say(k, &text, &l);
		note(k, &r);
	} else {
		blame_address(e);
	}
	buf_free(&text);
	secret_wipe(&r.crypto, sizeof(r.crypto));
	secret_wipe(&l.crypto, sizeof(l.crypto));
	return rc;
}

int call_media_offer(struct sip_call *k, bool secure, struct error *e)
{
	struct sdp_local l = local_of(k);
	struct buf text;
	int rc;

	if (secure)
		choose_key(k, SDP_SHA1_80, 1, &l.crypto);
	buf_init_secret(&text, CALL_BODY_MAX);
	rc = sdp_write_offer(&l, &text, e);
	if (rc == 0)
		say(k, &text, &l);
	buf_free(&text);
	secret_wipe(&l.crypto, sizeof(l.crypto));
	return rc;
}

/* It must answer what was offered: encrypted or not, and with the key's suite
 * and tag (RFC 4568 5.1.3). */
static int check_answer(const struct sip_call *k, const struct sdp_remote *r,
			struct error *e)
{
	const struct sdp_crypto *ours = &k->media.key;

	if (r->srtp != ours->present)
		return error_set(e, ERR_UNSUPPORTED,
				 ours->present
				     ? "the answer takes no encryption"
				     : "the answer wants encryption that was "
				       "not offered");
	if (r->srtp &&
	    (r->crypto.tag != ours->tag || r->crypto.suite != ours->suite))
		return error_set(e, ERR_UNSUPPORTED,
				 "the answer takes a key that was not offered");
	return 0;
}

int call_media_accept(struct sip_call *k, struct view text, struct error *e)
{
	struct sdp_remote r;
	int rc = -1;

	if (sdp_read(text, &r, e) < 0)
		return -1;
	if (check_answer(k, &r, e) == 0 &&
	    put_in_force(k, &r, &k->media.key, true, e) == 0) {
		note(k, &r);
		rc = 0;
	}
	secret_wipe(&r.crypto, sizeof(r.crypto));
	return rc;
}
