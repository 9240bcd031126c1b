/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NOTIFY_SYSLOG_H
#define SB_NOTIFY_SYSLOG_H

#include "audit/audit.h"
#include "base/log.h"
#include "net/call_context.h"

/* Events of the log and, if wanted, records of the audit trail go to a syslog
 * server: RFC 5424 over TLS (RFC 5425), by settings syslog.*. What happens here
 * delays nobody: events are put into a bounded queue, a thread sends them. A
 * connection that is lost is made again, after a second at first, then after
 * twice as long each time, up to a minute; a change of settings, of our
 * certificate or of the trust store makes a new one at once. What the thread
 * itself logs is not sent. */

enum syslog_state {
	SYSLOG_OFF,
	SYSLOG_CONNECTING,
	SYSLOG_CONNECTED,
	SYSLOG_FAILED /* and will try again */
};

/* "off", "connecting", "connected", "failed". */
const char *syslog_state_name(enum syslog_state state);

struct syslog_status {
	enum syslog_state state;
	char problem[ERROR_TEXT_MAX]; /* "", or what is wrong and what helps */
	/* Acknowledged by the server's host; not yet; given up because the
	 * queue was full or the sending was switched off. Since the start. */
	uint64_t sent, waiting, dropped;
};

struct syslog_options {
	struct settings *settings;
	struct audit *audit;
	const char *host;    /* our name in messages; copied */
	const char *version; /* copied */
};

struct syslog_sender;

/* Gathers from now on; becomes a sink of the log and a listener of settings and
 * audit trail, which must outlive it. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
struct syslog_sender *syslog_new(const struct syslog_options *options,
				 struct error *e) MUST_CHECK;
/* Sends from now on; once. What stands in policy must outlive it. */
int syslog_start(struct syslog_sender *s, const struct call_policy *policy,
		 struct error *e) MUST_CHECK;
/* What waits goes out if the connection stands, for SYSLOG_FLUSH_MS at most.
 * Nobody may change settings any more. NULL is fine. */
enum { SYSLOG_FLUSH_MS = 2000 };
void syslog_free(struct syslog_sender *s);

/* Any thread, both. */
void syslog_query(struct syslog_sender *s, struct syslog_status *out);

/* Sends a message that says that it is a test and waits for what comes of it.
 * ERR_CONFLICT: sending is off; else why it was not sent (ERR_TIMEOUT: neither
 * happened in SYSLOG_TEST_MS; it stays in the queue in any case). */
enum { SYSLOG_TEST_MS = 20000 };
int syslog_test(struct syslog_sender *s, struct error *e) MUST_CHECK;

#endif
