/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NOTIFY_SYSLOG_MESSAGE_H
#define SB_NOTIFY_SYSLOG_MESSAGE_H

#include <stdint.h>

#include "base/buf.h"

/* Messages of RFC 5424, framed for TLS as RFC 5425 4.3 has it. Pure. */

/* Events of the service are those of a daemon; records of the audit log are
 * what authpriv is for. (local0 and its like are left to those who set up
 * systems.) */
enum syslog_facility { SYSLOG_DAEMON = 3, SYSLOG_AUTHPRIV = 10 };

enum {
	/* A receiver shall take 2048 bytes and should take 8192 (RFC 5425
	 * 4.3.1). What is longer is cut. */
	SYSLOG_MESSAGE_MAX = 8192,
	SYSLOG_TEXT_MIN = 1024, /* of that, kept free for the text */
	SYSLOG_FRAME_MAX = SYSLOG_MESSAGE_MAX + 8,
	SYSLOG_SEQUENCE_MAX = 2147483647 /* then 1 again (RFC 5424 7.3.1) */
};

/* Who sends; the same in every message. */
struct syslog_origin {
	const char *host;    /* of this device; "" when it has no name */
	const char *version; /* of the program */
	long pid;
};

struct syslog_param {
	const char *name, *value; /* value NULL: left out */
};

/* An element of structured data: those whose ID has no "@" are registered with
 * IANA (RFC 5424 7). */
struct syslog_element {
	const char *id;
	const struct syslog_param *params;
	size_t count;
};

/* Private elements need an enterprise number. Sealbridge has none of its own,
 * and another one's would lie; this is the one for documentation (RFC 5612),
 * which no other product uses for long. */
#define SYSLOG_ENTERPRISE "32473"

struct syslog_entry {
	enum syslog_facility facility;
	unsigned severity; /* 0 to 7 */
	int64_t at_ms;     /* since 1970 UTC */
	const char *id;    /* MSGID: the group, the name of the event */
	const struct syslog_element *elements;
	size_t element_count;
	const char *text;
};

/* One frame is put into out: the length of the message, a space, the message.
 * sequence numbers the messages of a process, so that a receiver sees gaps.
 *
 * Whatever is no UTF-8 becomes '?' and control characters become spaces; a byte
 * order mark stands before a text that is not plain ASCII, as RFC 5424 6.4 has
 * it for UTF-8. Where everything together is too long, parameters that do not
 * fit are left out and the text is cut between characters. ERR_NOMEM. */
int syslog_message(const struct syslog_origin *from,
		   const struct syslog_entry *entry, uint32_t sequence,
		   struct buf *out, struct error *e) MUST_CHECK;

#endif
