/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_CONTROL_FIXTURE_H
#define SB_TESTS_UNIT_CONTROL_FIXTURE_H

#include <stdatomic.h>

#include "sip/sip_control.h"

/* The door of the calls with nobody behind it but the test, which decides what
 * becomes of them. */

enum { CONTROL_CALLS = 2048 };

struct control_fixture {
	struct sip_control *control;
	atomic_uint wakes;
	atomic_uint_fast64_t last_id;
	/* What was wanted, in order. */
	uint64_t placed[CONTROL_CALLS], ended[CONTROL_CALLS];
	size_t placed_count, ended_count;
	struct sip_dialled dialled; /* the last one */
};

void control_open(struct control_fixture *f, struct settings *settings);
void control_close(struct control_fixture *f);
/* A turn of the loop. */
void control_turn(struct control_fixture *f);
/* Something becomes of a call, as it was last known. */
void control_connect(struct control_fixture *f, uint64_t id);
void control_end_call(struct control_fixture *f, uint64_t id, enum sip_end end);
/* Somebody calls us: alerting. */
uint64_t control_incoming(struct control_fixture *f, const char *peer);

#endif
