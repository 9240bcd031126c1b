/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_FAULTS_H
#define SB_API_FAULTS_H

#include <stdint.h>

#include "base/error.h"

/* Fault codes that code here names itself: those of the original. All others
 * come from error kinds by the table in faults.c. */
enum fault_code {
	FAULT_METHOD_NOT_SUPPORTED = 1,
	FAULT_DUPLICATE_PARTICIPANT = 3,
	FAULT_NO_PARTICIPANT = 5,
	FAULT_TOO_MANY_PARTICIPANTS = 7,
	FAULT_NO_CONFERENCE_NAME = 8,
	FAULT_NO_PARTICIPANT_NAME = 9,
	FAULT_NO_PARTICIPANT_ADDRESS = 10,
	FAULT_AUTHORIZATION_FAILED = 14,
	FAULT_INSUFFICIENT_PRIVILEGES = 15,
	FAULT_INVALID_ENUMERATE_ID = 16,
	FAULT_UNSUPPORTED_PROTOCOL = 19,
	FAULT_UNSUPPORTED_PARTICIPANT_TYPE = 20,
	FAULT_MISSING_PARAMETER = 101,
	FAULT_INVALID_PARAMETER = 102,
	FAULT_MALFORMED_PARAMETER = 103,
	FAULT_MISMATCHED_PARAMETERS = 104,
	FAULT_REQUEST_TOO_LARGE = 105,
};

enum { FAULT_TEXT_MAX = ERROR_TEXT_MAX + 64 };

/* Code and text of an error: the original's words, then the exact cause.
 * Returns the code. */
int32_t fault_of_error(const struct error *e, char text[FAULT_TEXT_MAX]);
/* As above with a code that the caller chose; its words from the same table. */
int32_t fault_with_code(enum fault_code code, const char *cause,
			char text[FAULT_TEXT_MAX]);

#endif
