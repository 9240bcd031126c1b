/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_FLOW_STAGE_H
#define SB_TESTS_UNIT_FLOW_STAGE_H

#include "tests/unit/flow_fixture.h"

/* A front with listeners for streams over TCP and TLS, which mostly calls
 * itself: both ends are then seen. */

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/front_private.h"
#include "tests/lib/test_token.h"
#include "tests/unit/flow_fixture.h"

/* Streams over TCP and TLS that are accepted and opened. The front mostly calls
 * itself: both ends are then seen. */

struct stage {
	struct front_fixture x;
	struct flow tls, tcp; /* what is accepted */
	uint16_t sips, sip, sips6, sip6;
	unsigned idle_ms, silent_ms;
	struct tls_context *server;
};

struct stage *stage_new(void);
/* Takes the context; NULL: nothing is accepted over TLS. */
void stage_start(struct stage *g, struct tls_context *server);
/* Ends it; whatever was opened has been closed. */
void stage_end(struct stage *g);
/* A front_fixture_call(): opens all its listeners. */
void stage_listen(struct front_fixture *x, void *stage);
unsigned stage_flows(struct stage *g);

/* A call of 127.0.0.1 by f, which is as new. */
struct flow_call call_to(struct flow *f, uint16_t port, struct tls_context *tls,
			 const char *host);
void call(struct stage *g, struct flow_call *c);
/* Waits until it stands or has failed. */
bool decided(struct flow *f);
void say(struct stage *g, struct flow *f, const char *text, bool close);

/* A socket that accepts nothing, with so many connections in front of it. */
int deaf(uint16_t *port, int backlog);

#endif
