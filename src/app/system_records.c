/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/system_records.h"

#include "config.h"

static void record(struct audit *a, struct audit_what what)
{
	static const struct audit_actor system = { "System", "", "", "" };
	struct error e = ERROR_INIT;

	(void)audit_append(a, what, &system, &e);
}

void record_started(struct audit *a, bool restarted, bool crashed)
{
	const char *start =
	    crashed ? "start after a run that did not end by itself" : "start";

	record(a, AUDIT(SERVICE_STARTED, .version = PACKAGE_VERSION,
			.reason = restarted ? "restart" : start));
}

void record_stopped(struct audit *a, bool restarts)
{
	record(a,
	       AUDIT(SERVICE_STOPPED, .reason = restarts ? "restart" : "end"));
}

enum audit_event token_event(enum token_state now, bool was_ready)
{
	switch (now) {
	case TOKEN_READY: return AUDIT_TOKEN_READY;
	case TOKEN_PIN_REFUSED: return AUDIT_TOKEN_PIN_REFUSED;
	default: return was_ready ? AUDIT_TOKEN_LOST : AUDIT_TOKEN_STATE;
	}
}

void record_token(struct audit *a, const struct token_info *now,
		  bool *was_ready)
{
	const struct audit_values_TOKEN_STATE values = {
		.state = token_state_name(now->state),
		.label = now->label,
		.serialNumber = now->serial,
		.model = now->model,
		.reason = now->reason,
	};
	struct audit_what what = AUDIT_OF(TOKEN_STATE, values);

	/* Their fields are the same. */
	what.event = token_event(now->state, *was_ready);
	*was_ready = now->state == TOKEN_READY;
	record(a, what);
}

void record_session_end(const struct session_end *end, void *arg)
{
	static const char *const reasons[] = {
		[SESSION_IDLE] = "idle for too long",
		[SESSION_REPLACED] = "the user opened too many others",
	};
	const struct audit_actor actor = { "Web", end->user_id, end->address,
					   "session" };
	struct error e = ERROR_INIT;

	(void)audit_append(
	    arg, AUDIT(SESSION_ENDED, .reason = reasons[end->why]), &actor, &e);
}

void record_own_key(void *arg, const struct token_id *id, enum key_kind kind)
{
	char text[2 * TOKEN_ID_MAX + 1];

	hex_encode(id->bytes, id->len, text);
	record(arg, AUDIT(KEY_GENERATED, .keyId = text,
			  .keyType = key_kind_name(kind)));
}
