/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/media_peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/latch.h"
#include "tests/lib/unit.h"

static void address_of(const char *text, uint16_t port,
		       struct media_address *out)
{
	struct error e = ERROR_INIT;

	CHECK_OK(media_address_parse(text, port, out, &e), &e);
}

/* False: the port is taken. */
static bool bind_one(const char *address, uint16_t port, int *fd,
		     uint16_t *bound)
{
	struct media_address a;
	socklen_t size = sizeof(a);

	address_of(address, port, &a);
	*fd = socket(a.u.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_FATAL(*fd >= 0);
	if (bind(*fd, &a.u.any, media_address_size(&a)) < 0) {
		close(*fd);
		return false;
	}
	CU_ASSERT_FATAL(getsockname(*fd, &a.u.any, &size) == 0);
	*bound = media_address_port(&a);
	return true;
}

/* Any port, and the next one. */
static bool bind_pair(struct peer *p)
{
	uint16_t next;

	CU_ASSERT_FATAL(bind_one(p->address, 0, &p->fd[PEER_RTP], &p->port));
	if (p->port < UINT16_MAX &&
	    bind_one(p->address, (uint16_t)(p->port + 1), &p->fd[PEER_RTCP],
		     &next))
		return true;
	close(p->fd[PEER_RTP]);
	return false;
}

void peer_open(struct peer *p, const char *address, uint16_t to)
{
	static uint32_t number;

	memset(p, 0, sizeof(*p));
	snprintf(p->address, sizeof(p->address), "%s", address);
	p->to = to;
	p->ssrc = 0x5eed0000 + ++number;
	p->sequence = 65530; /* wraps soon */
	p->timestamp = 0xfffffe00;
	for (int i = 0; i < 100; i++)
		if (bind_pair(p))
			return;
	CU_FAIL_FATAL("no pair of ports");
}

void peer_close(struct peer *p)
{
	close(p->fd[PEER_RTP]);
	close(p->fd[PEER_RTCP]);
	if (p->in)
		srtp_dealloc(p->in);
	if (p->out)
		srtp_dealloc(p->out);
}

srtp_t peer_session(const struct srtp_key *key, bool inbound)
{
	struct srtp_key copy = *key;
	struct error e = ERROR_INIT;
	srtp_policy_t policy;
	srtp_t s = NULL;

	memset(&policy, 0, sizeof(policy));
	srtp_crypto_policy_set_rtp_default(&policy.rtp);
	srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	if (key->suite == SRTP_SHA1_32)
		policy.rtp.auth_tag_len = 4;
	policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = copy.bytes;
	policy.window_size = 1024;
	/* libsrtp2 is set up once in a process, and not by us. */
	CHECK_OK(srtp_start(&e), &e);
	CU_ASSERT_EQUAL_FATAL(srtp_create(&s, &policy), srtp_err_status_ok);
	return s;
}

void peer_set_keys(struct peer *p, const struct srtp_key *in,
		   const struct srtp_key *out)
{
	if (p->in)
		srtp_dealloc(p->in);
	if (p->out)
		srtp_dealloc(p->out);
	p->in = peer_session(in, true);
	p->out = peer_session(out, false);
}

void peer_send(struct peer *p, int which, const void *bytes, size_t n)
{
	struct media_address a;

	address_of(p->address, (uint16_t)(p->to + which), &a);
	/* 127.0.0.2 speaks to 127.0.0.1, too */
	if (a.u.any.sa_family == AF_INET)
		a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CU_ASSERT_EQUAL(
	    sendto(p->fd[which], bytes, n, 0, &a.u.any, media_address_size(&a)),
	    (ssize_t)n);
}

size_t peer_say(struct peer *p, uint8_t type, bool marker, struct view payload,
		uint8_t *out)
{
	_Alignas(8) uint8_t bytes[PEER_BYTES];
	const struct rtp_packet packet = {
		.marker = marker,
		.payload_type = type,
		.sequence = p->sequence++,
		.timestamp = p->timestamp += 160,
		.ssrc = p->ssrc,
		.payload = payload,
	};
	int n = (int)rtp_write(&packet, bytes, sizeof(bytes) - 64);

	CU_ASSERT_FATAL(n > 0);
	if (p->out)
		CU_ASSERT_EQUAL_FATAL(srtp_protect(p->out, bytes, &n),
				      srtp_err_status_ok);
	peer_send(p, PEER_RTP, bytes, (size_t)n);
	if (out)
		memcpy(out, bytes, (size_t)n);
	return (size_t)n;
}

void peer_report(struct peer *p, const uint8_t *in, size_t size)
{
	_Alignas(8) uint8_t bytes[PEER_BYTES];
	int n = (int)size;

	memcpy(bytes, in, size);
	if (p->out)
		CU_ASSERT_EQUAL_FATAL(srtp_protect_rtcp(p->out, bytes, &n),
				      srtp_err_status_ok);
	peer_send(p, PEER_RTCP, bytes, (size_t)n);
}

int peer_hear(struct peer *p, int which, uint8_t *out, int wait_ms)
{
	_Alignas(8) uint8_t bytes[PEER_BYTES];
	struct pollfd fd = { .fd = p->fd[which], .events = POLLIN };
	srtp_err_status_t status;
	ssize_t got;
	int n;

	if (poll(&fd, 1, wait_ms) <= 0)
		return -1;
	got = recv(p->fd[which], bytes, sizeof(bytes), 0);
	if (got < 0)
		return -1;
	n = (int)got;
	if (p->in) {
		status = which == PEER_RTP
			     ? srtp_unprotect(p->in, bytes, &n)
			     : srtp_unprotect_rtcp(p->in, bytes, &n);
		CU_ASSERT_EQUAL(status, srtp_err_status_ok);
		if (status != srtp_err_status_ok)
			return -1;
	}
	memcpy(out, bytes, (size_t)n);
	return n;
}

bool peer_hear_rtp(struct peer *p, struct rtp_packet *out,
		   uint8_t bytes[PEER_BYTES])
{
	int n = peer_hear(p, PEER_RTP, bytes, PEER_WAIT_MS);

	return n > 0 && rtp_read(view_of(bytes, (size_t)n), out);
}
