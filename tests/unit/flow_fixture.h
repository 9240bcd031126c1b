/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_FLOW_FIXTURE_H
#define SB_TESTS_UNIT_FLOW_FIXTURE_H

#include "tests/unit/front_client.h"
#include "tests/unit/front_fixture.h"

/* Streams of a front that are accepted by its listeners and opened by it: who
 * certifies them, and what they hear. */

/* Self-signed, in the token. All but STRANGER are for "peer.example",
 * 127.0.0.1 and ::1. */
enum { GOOD, STRANGER, LATE, IDENTITIES };

extern struct local_identity flow_identities[IDENTITIES];
int flow_setup(void);
int flow_teardown(void);

/* A store with the certificates of the identities whose bits are set. */
struct judge_store *flow_store(unsigned set);
/* store NULL: clients are not asked. */
struct tls_context *flow_server(int identity, const struct judge_store *store,
				enum tls_version minimum);
/* identity -1: has none. */
struct tls_context *flow_client(int identity, const struct judge_store *store,
				enum tls_server_check check);

/* One stream and what its handler hears. */
struct flow {
	struct front_stream *stream; /* while it is open or being opened */
	struct peer peer;
	atomic_uint opened, closed, failed;
	atomic_size_t got; /* bytes */
	char first[16];    /* the first of them */
	/* failed, or what front_stream_failure() said when it was closed */
	struct error why;
	char reason[32]; /* of the verdict */
	bool verdict;
};

/* The handler of those that we open: it listens. */
extern const struct front_stream_ops flow_ops;
/* The handler of those that are accepted: an echo, all in one struct flow,
 * ended by "bye" and, after 200000 bytes, by "all". */
struct front_stream_ops flow_echo_ops(struct flow *all);

/* --- on the loop, by front_fixture_call() */

struct flow_call {
	struct front_connect_options options;
	struct flow *flow;
	struct front_stream *stream; /* NULL: refused, e says why */
	struct error e;
};
void flow_connect(struct front_fixture *x, void *call);

struct flow_say {
	struct flow *flow;
	const char *bytes;
	size_t n;
	bool close; /* behind it */
};
void flow_say(struct front_fixture *x, void *say);

#endif
