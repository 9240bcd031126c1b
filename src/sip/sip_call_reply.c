/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "sip/sip_call_private.h"
#include "sip/sip_message.h"

/* Answers to the other side's requests. */

static int add_fields(struct osip_message *m, const char *const *fields,
		      struct error *e)
{
	for (; fields && *fields; fields += 2)
		if (sip_message_add(m, fields[0], fields[1], e) < 0)
			return -1;
	return 0;
}

void call_refuse(struct sip_transaction *t, unsigned status,
		 const char *const *fields)
{
	struct error e = ERROR_INIT;
	osip_message_t *m = sip_stack_answer(t, status, &e);

	if (m && add_fields(m, fields, &e) < 0) {
		osip_message_free(m);
		m = NULL;
	}
	if (!m || sip_stack_reply(t, m, &e) < 0)
		log_failure(LOG_LEVEL_TRACE, "sip", &e);
}

void call_refuse_later(struct sip_transaction *t, unsigned status,
		       unsigned most_seconds)
{
	char seconds[12];
	uint32_t chance;

	random_bytes(&chance, sizeof(chance));
	snprintf(seconds, sizeof(seconds), "%u", chance % (most_seconds + 1));
	call_refuse(t, status,
		    (const char *const[]){ "Retry-After", seconds, NULL });
}

/* RFC 3261 20.43: 301, the address; 305, the formats; 399, anything else. */
static const char *warning_of(const struct error *why)
{
	if (why->kind == ERR_INPUT)
		return "399 sealbridge \"The session description cannot be "
		       "read\"";
	if (why->native == EAFNOSUPPORT)
		return "301 sealbridge \"No address here reaches that of the "
		       "media\"";
	return "305 sealbridge \"Audio in PCMU or PCMA over RTP/AVP, or "
	       "RTP/SAVP with a key\"";
}

void call_refuse_media(struct sip_transaction *t, const struct error *why)
{
	const char *const fields[] = { "Warning", warning_of(why), NULL };

	if (why->kind == ERR_INPUT)
		call_refuse(t, 400, fields);
	else if (why->kind == ERR_UNSUPPORTED)
		call_refuse(t, 488, fields);
	else if (why->kind == ERR_LIMIT)
		call_refuse_later(t, 500, CALL_RETRY_AFTER_MAX);
	else
		call_refuse(t, 500, NULL);
}

bool call_ask_session(const struct sip_call_rules *rules,
		      struct sip_transaction *t, struct session_timer *out)
{
	struct session_words words;
	char least[12];

	if (call_words(sip_transaction_request(t), &words) < 0) {
		call_refuse(t, 400, NULL);
		return false;
	}
	if (session_timer_answer(&words, rules->session_seconds, out) == 0)
		return true;
	snprintf(least, sizeof(least), "%d", SESSION_SECONDS_MIN);
	call_refuse(t, 422, (const char *const[]){ "Min-SE", least, NULL });
	return false;
}

/* RFC 4028 9: who refreshes stands in it; a caller that is to do it must know
 * how, and is told so by Require. */
static int add_session(struct osip_message *m,
		       const struct session_timer *timer, struct error *e)
{
	char value[48];

	if (!timer->seconds)
		return 0;
	snprintf(value, sizeof(value), "%u;refresher=%s", timer->seconds,
		 timer->ours ? "uas" : "uac");
	if (sip_message_add(m, "Session-Expires", value, e) < 0)
		return -1;
	return timer->ours ? 0 : sip_message_add(m, "Require", "timer", e);
}

int call_accept(struct sip_call *k, struct sip_transaction *t,
		const struct session_timer *timer, struct view sdp,
		struct error *e)
{
	osip_message_t *m = sip_stack_answer(t, 200, e);

	if (!m)
		return -1;
	if (call_add_contact(k, sip_transaction_flow(t), m, e) < 0 ||
	    sip_message_add_abilities(m, e) < 0 ||
	    add_session(m, timer, e) < 0 || call_add_body(m, sdp, e) < 0) {
		osip_message_free(m);
		return -1;
	}
	return sip_stack_reply(t, m, e);
}
