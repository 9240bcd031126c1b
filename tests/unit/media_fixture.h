/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_MEDIA_FIXTURE_H
#define SB_TESTS_UNIT_MEDIA_FIXTURE_H

#include "tests/unit/media_peer.h"

/* A media engine whose clock stands until the test moves it. */

struct fixture {
	struct media *media;
	struct media_local local; /* of the stream that is opened last */
	struct media_stream_options options;
};

/* The clock of every engine of a fixture. */
int64_t fixture_now(void *arg);
void fixture_pass(int64_t ms);
/* Until the engine has looked at the time twice more: what was due is done. */
void fixture_settle(void);

/* With the options that are changed before: 0 takes the usual one. */
void fixture_start(struct fixture *f, unsigned streams, unsigned rate);
void fixture_end(struct fixture *f);
/* A stream and its peer, agreed on PCMU, PCMA and 101, both directions. */
void fixture_call(struct fixture *f, struct peer *p, const char *address);
/* What fixture_call() agrees on. */
struct media_remote fixture_remote(const struct peer *p);
void fixture_agree(struct fixture *f, const struct media_remote *r);

struct media_stats fixture_stats(struct fixture *f);
/* Until so many valid packets have come. */
void fixture_received(struct fixture *f, uint64_t n);
/* Until so many of them were dropped; others than that are an error. */
void fixture_dropped(struct fixture *f, enum media_drop why, uint64_t n);
/* Says it and hears it. */
void fixture_echo(struct peer *p, struct rtp_packet *heard);

#endif
