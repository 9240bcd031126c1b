/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "sip/sip_call_private.h"

/* Offers and answers (RFC 3264) and the stream that they are about. */

/* Where a stream is bound. */
struct place {
	media_id id;
	uint16_t port;
	char address[INET6_ADDRSTRLEN];
};

static int bind_at(struct sip_call *k, const char *address, struct place *out,
		   struct error *e)
{
	struct media_stream_options o = {
		.address = address,
		.silence_ms = k->rules.media_seconds * 1000,
		.silent = call_silent,
		.arg = k->calls,
	};
	struct media_local local;

	if (media_open(k->calls->o.media, &o, &local, e) < 0)
		return -1;
	out->id = local.id;
	out->port = local.port;
	snprintf(out->address, sizeof(out->address), "%s", address);
	return 0;
}

int call_media_open(struct sip_call *k, const char *address, struct error *e)
{
	struct call_media *m = &k->media;
	struct place p;

	if (bind_at(k, address, &p, e) < 0)
		return -1;
	m->id = p.id;
	m->port = p.port;
	memcpy(m->address, p.address, sizeof(m->address));
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

/* --- where */

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* Media may be of another family than the signalling: then the address of ours
 * is the one from which theirs is reached. */
static int bind_towards(struct sip_call *k, const struct sdp_remote *r,
			struct place *out, struct error *e)
{
	struct sip_target target = { .transport = SIP_TCP, .port = r->port };
	char address[INET6_ADDRSTRLEN];

	snprintf(target.address, sizeof(target.address), "%.*s",
		 (int)sizeof(target.address) - 1, r->address);
	if (sip_agent_local(k->calls->o.agent, &target, address, e) < 0)
		return error_set_native(e, ERR_UNSUPPORTED, EAFNOSUPPORT,
					"no address of this device reaches the "
					"media address %s",
					r->address);
	return bind_at(k, address, out, e);
}

/* Where the stream has to be for that offer: where it is, if it is and that
 * will do, else in a new place. */
static int find_place(struct sip_call *k, const struct sdp_remote *r,
		      struct place *out, struct error *e)
{
	const struct call_media *m = &k->media;
	const char *address = m->id ? m->address : k->flow->local_address;

	if (*r->address && is_v6(r->address) != is_v6(address))
		return bind_towards(k, r, out, e);
	if (!m->id)
		return bind_at(k, address, out, e);
	out->id = m->id;
	out->port = m->port;
	memcpy(out->address, m->address, sizeof(out->address));
	return 0;
}

/* The stream keeps its number when it moves. */
static void take_place(struct sip_call *k, const struct place *p)
{
	struct call_media *m = &k->media;

	if (!m->id)
		m->id = p->id;
	m->port = p->port;
	memcpy(m->address, p->address, sizeof(m->address));
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

/* at: where the stream is from now on. all: each of their codecs may come, for
 * they answer; else the first. */
static int put_in_force(struct sip_call *k, const struct sdp_remote *r,
			const struct sdp_crypto *ours, media_id at, bool all,
			struct error *e)
{
	media_id id = k->media.id ? k->media.id : at;
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
		.place = at == id ? 0 : at,
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
	rc = media_set_remote(k->calls->o.media, id, &remote, e);
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

/* A key that was agreed on goes on as long as its suite does; before that, who
 * was asked in vain does not know the next one's. */
static void choose_key(const struct sip_call *k, enum sdp_suite suite,
		       unsigned tag, struct sdp_crypto *out)
{
	*out = k->media.key;
	out->tag = tag;
	if (k->media.agreed && out->present && out->suite == suite)
		return;
	out->present = true;
	out->suite = suite;
	random_bytes(out->key, sizeof(out->key));
}

static struct sdp_local local_at(struct sip_call *k, const char *address,
				 uint16_t port)
{
	struct call_media *m = &k->media;

	if (!m->session) {
		random_bytes(&m->session, sizeof(m->session));
		m->session >>= 2; /* some read it as a signed number */
		m->version = m->session;
	}
	return (struct sdp_local){
		.address = address,
		.port = port,
		.session = m->session,
		.version = m->version + 1,
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
		  const struct place *at, struct error *e)
{
	struct sdp_local l = local_at(k, at->address, at->port);
	struct buf text;
	int rc = -1;

	buf_init_secret(&text, CALL_BODY_MAX);
	if (r->srtp)
		choose_key(k, r->crypto.suite, r->crypto.tag, &l.crypto);
	if (sdp_write_answer(r, &l, &text, e) == 0 &&
	    put_in_force(k, r, &l.crypto, at->id, false, e) == 0) {
		say(k, &text, &l);
		rc = 0;
	}
	buf_free(&text);
	secret_wipe(&l.crypto, sizeof(l.crypto));
	return rc;
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
	struct sdp_remote r;
	struct place at = { 0 };
	int rc;

	if (sdp_read(offer, &r, e) < 0)
		return -1;
	rc = find_place(k, &r, &at, e);
	if (rc == 0)
		rc = answer(k, &r, &at, e);
	if (rc == 0) {
		take_place(k, &at);
		note(k, &r);
	} else {
		blame_address(e);
		if (at.id && at.id != k->media.id)
			media_close(k->calls->o.media, at.id);
	}
	secret_wipe(&r.crypto, sizeof(r.crypto));
	return rc;
}

int call_media_offer(struct sip_call *k, bool secure, struct error *e)
{
	struct sdp_local l = local_at(k, k->media.address, k->media.port);
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
	    put_in_force(k, &r, &k->media.key, k->media.id, true, e) == 0) {
		note(k, &r);
		rc = 0;
	}
	secret_wipe(&r.crypto, sizeof(r.crypto));
	return rc;
}
