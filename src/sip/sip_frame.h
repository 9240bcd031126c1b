/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_FRAME_H
#define SB_SIP_SIP_FRAME_H

#include "sip/sip_head.h"

/* One SIP message at a time out of the bytes of TCP or TLS (RFC 3261 18.3),
 * with the keep-alives between them (RFC 5626 3.5.1). Only what the framing
 * needs is read: the end of the head and Content-Length. Whoever frames more
 * forgivingly than the proxy in front of us could be shown other messages than
 * the proxy saw, so a line ends with CRLF and nothing else, and there is one
 * Content-Length. Pure; any thread. */

enum {
	SIP_HEAD_MAX = 16384, /* bytes, start line and empty line included */
	SIP_BODY_MAX = 65536, /* bytes */
};

enum sip_frame_step {
	SIP_FRAME_MORE,    /* feed more */
	SIP_FRAME_MESSAGE, /* one message, length bytes with its body */
	SIP_FRAME_PING,    /* CRLF CRLF: to be answered by one CRLF */
	SIP_FRAME_BLANK,   /* a CRLF before a message or a pong: drop it */
	SIP_FRAME_REFUSED, /* the stream cannot be followed any further */
};

struct sip_frame {
	size_t length; /* bytes that this step takes from the front of data */
	size_t head;   /* MESSAGE, and REFUSED with a whole head: its bytes */
	/* REFUSED: what a request is answered with before the connection is
	 * closed (400, 413, 513), and why; the text is static. */
	unsigned status;
	const char *why;
};

/* What is known of the message that the stream is in; zeros at its start. It
 * keeps a peer that sends byte by byte from having its head read each time. */
struct sip_framer {
	size_t scanned; /* bytes without the end of a head */
	size_t head, total;
};

/* What data, the unread bytes of the stream, begins with. After each step but
 * MORE f stands at the start of the next message; after REFUSED there is
 * none. */
enum sip_frame_step sip_framer_next(struct sip_framer *f, struct view data,
				    struct sip_frame *out);

#endif
