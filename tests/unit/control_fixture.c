/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/control_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/unit.h"

static uint64_t new_id(void *arg)
{
	struct control_fixture *f = arg;

	return ++f->last_id;
}

static void wake(void *arg)
{
	struct control_fixture *f = arg;

	f->wakes++;
}

static void on_place(void *arg, uint64_t id, const struct sip_dialled *to)
{
	struct control_fixture *f = arg;

	CU_ASSERT_FATAL(f->placed_count < CONTROL_CALLS);
	f->placed[f->placed_count++] = id;
	f->dialled = *to;
}

static void on_end(void *arg, uint64_t id)
{
	struct control_fixture *f = arg;

	CU_ASSERT_FATAL(f->ended_count < CONTROL_CALLS);
	f->ended[f->ended_count++] = id;
}

void control_open(struct control_fixture *f, struct settings *settings)
{
	const struct sip_control_options o = { .settings = settings };
	const struct sip_control_ops ops = { .new_id = new_id,
					     .wake = wake,
					     .place = on_place,
					     .end = on_end,
					     .arg = f };
	struct error e = ERROR_INIT;

	*f = (struct control_fixture){ 0 };
	f->control = sip_control_new(&o, &e);
	/* Assertions of CUnit hold in tests only. */
	if (!f->control) {
		fprintf(stderr, "set-up: %s\n", e.text);
		exit(99);
	}
	sip_control_attach(f->control, &ops);
}

void control_close(struct control_fixture *f)
{
	sip_control_attach(f->control, NULL);
	sip_control_free(f->control);
}

void control_turn(struct control_fixture *f)
{
	sip_control_run(f->control);
}

static struct sip_call_facts facts_of(struct control_fixture *f, uint64_t id)
{
	struct sip_call_facts facts;

	CU_ASSERT_FATAL(sip_control_call(f->control, id, &facts));
	return facts;
}

void control_connect(struct control_fixture *f, uint64_t id)
{
	struct sip_call_facts facts = facts_of(f, id);

	facts.state = SIP_CALL_CONNECTED;
	facts.connected = clock_now();
	facts.connected_ms = clock_monotonic_ms();
	facts.link.known = true;
	facts.link.transport = SIP_TLS;
	facts.encryption = SIP_ENCRYPTED;
	snprintf(facts.peer_name, sizeof(facts.peer_name), "Ann Other");
	sip_control_changed(f->control, &facts);
}

void control_end_call(struct control_fixture *f, uint64_t id, enum sip_end end)
{
	struct sip_call_facts facts = facts_of(f, id);

	facts.state = SIP_CALL_DISCONNECTED;
	facts.ended = clock_now();
	facts.ended_ms = clock_monotonic_ms();
	facts.end = end;
	snprintf(facts.end_text, sizeof(facts.end_text), "as the test wants");
	sip_control_changed(f->control, &facts);
}

uint64_t control_incoming(struct control_fixture *f, const char *peer)
{
	struct sip_call_facts facts = { .id = ++f->last_id,
					.incoming = true,
					.started = clock_now(),
					.state = SIP_CALL_ALERTING,
					.encryption = SIP_ENCRYPTION_UNKNOWN };

	snprintf(facts.peer, sizeof(facts.peer), "%s", peer);
	sip_control_changed(f->control, &facts);
	return facts.id;
}
