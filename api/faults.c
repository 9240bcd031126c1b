/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/faults.h"

#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The one table of kinds and faults: codes below 1000 are the original's, those
 * from 1001 on our own. */
static const struct row {
	enum error_kind kind; /* ERR_NONE: chosen by code only */
	int32_t code;
	const char *words;
} rows[] = {
	{ ERR_NONE, FAULT_METHOD_NOT_SUPPORTED, "method not supported" },
	{ ERR_NONE, FAULT_DUPLICATE_PARTICIPANT, "duplicate participant name" },
	{ ERR_NONE, FAULT_NO_PARTICIPANT, "no such participant" },
	{ ERR_NONE, FAULT_TOO_MANY_PARTICIPANTS, "too many participants" },
	{ ERR_NONE, FAULT_NO_CONFERENCE_NAME,
	  "no conference name or auto attendant id supplied" },
	{ ERR_NONE, FAULT_NO_PARTICIPANT_NAME, "no participant name supplied" },
	{ ERR_NONE, FAULT_NO_PARTICIPANT_ADDRESS,
	  "no participant address supplied" },
	{ ERR_AUTH, FAULT_AUTHORIZATION_FAILED, "authorization failed" },
	{ ERR_PRIVILEGE, FAULT_INSUFFICIENT_PRIVILEGES,
	  "insufficient privileges" },
	{ ERR_NONE, FAULT_INVALID_ENUMERATE_ID, "invalid enumerateID value" },
	{ ERR_NONE, FAULT_UNSUPPORTED_PROTOCOL, "unsupported protocol" },
	{ ERR_NONE, FAULT_UNSUPPORTED_PARTICIPANT_TYPE,
	  "unsupported participant type" },
	{ ERR_INTERNAL, 34, "internal error" },
	{ ERR_NOMEM, 34, "internal error" },
	{ ERR_PORT_CONFLICT, 42, "port conflict" },
	{ ERR_NONE, FAULT_MISSING_PARAMETER, "missing parameter" },
	{ ERR_INPUT, FAULT_INVALID_PARAMETER, "invalid parameter" },
	{ ERR_NOT_FOUND, FAULT_INVALID_PARAMETER, "invalid parameter" },
	{ ERR_NONE, FAULT_MALFORMED_PARAMETER, "malformed parameter" },
	{ ERR_NONE, FAULT_MISMATCHED_PARAMETERS, "mismatched parameters" },
	{ ERR_NONE, FAULT_REQUEST_TOO_LARGE, "request too large" },
	{ ERR_LIMIT, 201, "operation failed" },
	{ ERR_TIMEOUT, 201, "operation failed" },
	{ ERR_IO, 201, "operation failed" },
	{ ERR_CONFIG, 201, "operation failed" },
	{ ERR_EXISTS, 201, "operation failed" },
	{ ERR_CONFLICT, 201, "operation failed" },
	{ ERR_UNSUPPORTED, 201, "operation failed" },
	{ ERR_CANCELLED, 201, "operation failed" },
	{ ERR_TLS, 201, "operation failed" },
	{ ERR_CERTIFICATE, 1001, "invalid certificate" },
	{ ERR_KEY, 1002, "invalid private key" },
	{ ERR_KEY_PASSWORD, 1003, "wrong private key password" },
	{ ERR_KEY_MISMATCH, 1004, "private key does not match certificate" },
	{ ERR_KEY_UNSUPPORTED, 1005, "unsupported key" },
	{ ERR_TOKEN, 1006, "token unavailable" },
	{ ERR_TOKEN_PIN, 1006, "token unavailable" },
	{ ERR_LOCK_OUT, 1007, "change would lock out the caller" },
	{ ERR_NO_CHANGE, 1008, "no such change" },
	{ ERR_NO_USER, 1009, "no such user" },
	{ ERR_USER_EXISTS, 1010, "user exists" },
	{ ERR_PASSWORD_RULES, 1011, "password does not meet the rules" },
	{ ERR_TRUST_EMPTY, 1012, "trust store empty" },
	{ ERR_FULL, 1013, "disk full" },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(*rows) };

/* "words - cause", or the words alone when the cause says no more. */
static int32_t answer(const struct row *row, const char *cause,
		      char text[FAULT_TEXT_MAX])
{
	bool more = cause && cause[0] && strcasecmp(cause, row->words) != 0;

	snprintf(text, FAULT_TEXT_MAX, "%s%s%s", row->words, more ? " - " : "",
		 more ? cause : "");
	return row->code;
}

int32_t fault_of_error(const struct error *e, char text[FAULT_TEXT_MAX])
{
	static const struct row unknown = { ERR_NONE, 201, "operation failed" };

	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].kind != ERR_NONE && rows[i].kind == e->kind)
			return answer(&rows[i], e->text, text);
	return answer(&unknown, e->text, text);
}

int32_t fault_with_code(enum fault_code code, const char *cause,
			char text[FAULT_TEXT_MAX])
{
	static const struct row unknown = { ERR_NONE, 201, "operation failed" };

	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].code == (int32_t)code)
			return answer(&rows[i], cause, text);
	return answer(&unknown, cause, text);
}
