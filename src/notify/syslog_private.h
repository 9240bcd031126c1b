/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_NOTIFY_SYSLOG_PRIVATE_H
#define SB_NOTIFY_SYSLOG_PRIVATE_H

#include <pthread.h>

#include "base/host_name.h"
#include "notify/syslog.h"
#include "notify/syslog_message.h"
#include "notify/syslog_queue.h"

/* What syslog.c (who comes to us) and syslog_thread.c (whom we go to) share. */

struct syslog_sender {
	struct settings *settings;
	struct audit *audit;
	struct call_policy policy;
	char host[HOST_TEXT_MAX + 1], version[32];
	struct syslog_origin origin;

	int wake;   /* eventfd: something was put into the queue */
	int urgent; /* eventfd: settings changed, a test, the end; what waits is
		     * given up and looked at anew */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows; nothing is logged under it */
	pthread_cond_t told;  /* sent, dropped or failed: for tests */
	struct syslog_queue queue;
	uint32_t sequence;
	enum syslog_state state;
	char problem[ERROR_TEXT_MAX];
	uint64_t failures;         /* of connections, ever */
	uint64_t dropped_reported; /* of queue.dropped */
	bool stopping;
	int64_t stop_by; /* clock_monotonic_ms() */
};

/* True on the thread that sends: what it logs is not sent. */
extern _Thread_local bool syslog_own_thread;

/* Of struct syslog_sender, until it stops. */
void *syslog_thread(void *arg);

/* Put a text of our own into the queue; locked. Its number, 0: no memory. */
uint64_t syslog_put_own(struct syslog_sender *s, enum log_level level,
			const char *text);

#endif
