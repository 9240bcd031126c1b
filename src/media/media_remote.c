/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <sys/epoll.h>

#include "base/secret.h"
#include "media/media_private.h"

/* What descriptions agreed on, put in force at once or not at all. */

enum { PAYLOAD_TYPE_MAX = 127, PORT_MAX = 65535 };

struct plan {
	struct media_address rtp, rtcp; /* unset: nowhere */
	struct srtp_lane *in, *out;     /* new ones, NULL: as they are */
	struct media_stream *place;     /* NULL: where it is */
};

static int check_payloads(const struct media_remote *r, struct error *e)
{
	if (r->payload_count == 0 || r->payload_count > MEDIA_PAYLOADS_MAX)
		return error_set(e, ERR_INPUT, "1 to %d payload types",
				 MEDIA_PAYLOADS_MAX);
	for (unsigned i = 0; i < r->payload_count; i++)
		if (r->payload_types[i] > PAYLOAD_TYPE_MAX)
			return error_set(e, ERR_INPUT, "payload type %u",
					 r->payload_types[i]);
	return 0;
}

static int read_addresses(const struct media_remote *r, struct plan *p,
			  struct error *e)
{
	unsigned rtcp = r->rtcp_port ? r->rtcp_port : r->port + 1u;

	if (!r->address || !r->address[0] || r->port == 0)
		return 0;
	if (media_address_parse(r->address, r->port, &p->rtp, e) < 0)
		return -1;
	if (media_address_is_many(&p->rtp)) {
		return error_set(e, ERR_INPUT,
				 "a media address of many receivers");
	}
	if (media_address_is_any(&p->rtp)) {
		memset(&p->rtp, 0, sizeof(p->rtp));
		return 0;
	}
	if (rtcp <= PORT_MAX) {
		p->rtcp = p->rtp;
		media_address_set_port(&p->rtcp, (uint16_t)rtcp);
	}
	return 0;
}

static int find_place(struct media_stream *s, media_id id, struct plan *p,
		      struct error *e)
{
	if (!id)
		return 0;
	p->place = media_find(s->media, id);
	if (!p->place)
		return error_set(e, ERR_NOT_FOUND, "no such media stream");
	if (p->place->ready || p->place == s)
		return error_set(e, ERR_INPUT, "the media stream is in use");
	return 0;
}

static int check_for_stream(const struct media_stream *s, const struct plan *p,
			    struct error *e)
{
	const struct media_address *local =
	    p->place ? &p->place->local : &s->local;

	if (!media_address_is_set(&p->rtp))
		return 0;
	if (p->rtp.u.any.sa_family != local->u.any.sa_family)
		return error_set(e, ERR_UNSUPPORTED,
				 "media between IPv4 and IPv6");
	if (media_ports_is_ours(&s->media->ports, &p->rtp))
		return error_set(e, ERR_INPUT, "a media address of ours");
	return 0;
}

static int make_lanes(const struct media_stream *s,
		      const struct media_remote *r, struct plan *p,
		      struct error *e)
{
	if (!r->secure)
		return 0;
	if (!srtp_lane_has_key(s->in, &r->in)) {
		p->in = srtp_lane_new(SRTP_INBOUND, &r->in, e);
		if (!p->in)
			return -1;
	}
	if (!srtp_lane_has_key(s->out, &r->out)) {
		p->out = srtp_lane_new(SRTP_OUTBOUND, &r->out, e);
		if (!p->out)
			return -1;
	}
	return 0;
}

/* The sequence begins in the lower half: a receiver that misses the first
 * packets still guesses the right roll-over counter (RFC 3711 3.3.1). */
static void begin_sending(struct media_stream *s)
{
	struct media_sent *sent = &s->sent;

	random_bytes(&sent->ssrc, sizeof(sent->ssrc));
	random_bytes(&sent->sequence, sizeof(sent->sequence));
	sent->sequence &= 0x7fff;
	sent->packets = sent->bytes = 0;
}

static void replace(struct srtp_lane **lane, struct srtp_lane *by)
{
	srtp_lane_free(*lane);
	*lane = by;
}

/* The sockets that it leaves end with the other stream. */
static int move(struct media_stream *s, struct plan *p, struct error *e)
{
	if (!p->place)
		return 0;
	if (media_watch(s, p->place->fd, EPOLL_CTL_MOD, e) < 0)
		return -1;
	media_ports_swap(&s->media->ports, s, p->place);
	media_end(p->place);
	return 0;
}

static void put_in_force(struct media_stream *s, const struct media_remote *r,
			 struct plan *p)
{
	int64_t now = media_now_ms(s->media);

	if (!s->ready || p->out)
		begin_sending(s);
	if (!r->secure || p->in)
		replace(&s->in, p->in);
	if (!r->secure || p->out)
		replace(&s->out, p->out);
	p->in = p->out = NULL;
	latch_announce(&s->latch, &p->rtp);
	latch_announce(&s->control, &p->rtcp);
	if (r->receive && !s->receive) {
		s->expected_ms = now;
		s->told_silent = false;
	}
	if (!s->ready)
		s->report_due_ms = now + media_report_wait_ms() / 2;
	s->secure = r->secure;
	s->send = r->send;
	s->receive = r->receive;
	memcpy(s->payload_types, r->payload_types, sizeof(s->payload_types));
	s->payload_count = r->payload_count;
	s->ready = true;
}

int media_set_remote(struct media *m, media_id id, const struct media_remote *r,
		     struct error *e)
{
	struct plan p = { 0 };
	struct media_stream *s;
	int rc = -1;

	if (check_payloads(r, e) < 0 || read_addresses(r, &p, e) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	s = media_find(m, id);
	if (!s) {
		error_set(e, ERR_NOT_FOUND, "no such media stream");
	} else if (find_place(s, r->place, &p, e) == 0 &&
		   check_for_stream(s, &p, e) == 0 &&
		   make_lanes(s, r, &p, e) == 0 && move(s, &p, e) == 0) {
		put_in_force(s, r, &p);
		rc = 0;
	}
	pthread_mutex_unlock(&m->lock);
	srtp_lane_free(p.in);
	srtp_lane_free(p.out);
	return rc;
}
