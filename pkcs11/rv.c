/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pkcs11/internal.h"

/* What an answer of the token means for the session, and for the caller. Rows
 * that are missing mean RV_CALLER and ERR_TOKEN. */
static const struct row {
	CK_RV rv;
	enum rv_class class;
	enum error_kind kind;
} rows[] = {
	{ CKR_HOST_MEMORY, RV_CALLER, ERR_NOMEM },
	{ CKR_SLOT_ID_INVALID, RV_LOST, ERR_TOKEN },
	{ CKR_GENERAL_ERROR, RV_DOUBT, ERR_TOKEN },
	{ CKR_FUNCTION_FAILED, RV_DOUBT, ERR_TOKEN },
	{ CKR_DEVICE_ERROR, RV_DOUBT, ERR_TOKEN },
	{ CKR_DEVICE_MEMORY, RV_DOUBT, ERR_TOKEN },
	{ CKR_DEVICE_REMOVED, RV_LOST, ERR_TOKEN },
	{ CKR_FUNCTION_NOT_SUPPORTED, RV_CALLER, ERR_UNSUPPORTED },
	{ CKR_KEY_SIZE_RANGE, RV_CALLER, ERR_KEY_UNSUPPORTED },
	{ CKR_MECHANISM_INVALID, RV_CALLER, ERR_UNSUPPORTED },
	{ CKR_MECHANISM_PARAM_INVALID, RV_CALLER, ERR_UNSUPPORTED },
	{ CKR_OPERATION_ACTIVE, RV_SESSION, ERR_TOKEN },
	{ CKR_PIN_INCORRECT, RV_CALLER, ERR_TOKEN_PIN },
	{ CKR_PIN_INVALID, RV_CALLER, ERR_TOKEN_PIN },
	{ CKR_PIN_LEN_RANGE, RV_CALLER, ERR_TOKEN_PIN },
	{ CKR_PIN_EXPIRED, RV_CALLER, ERR_TOKEN_PIN },
	{ CKR_PIN_LOCKED, RV_CALLER, ERR_TOKEN_PIN },
	{ CKR_SESSION_CLOSED, RV_SESSION, ERR_TOKEN },
	{ CKR_SESSION_HANDLE_INVALID, RV_SESSION, ERR_TOKEN },
	{ CKR_TOKEN_NOT_PRESENT, RV_LOST, ERR_TOKEN },
	{ CKR_TOKEN_NOT_RECOGNIZED, RV_LOST, ERR_TOKEN },
	{ CKR_USER_NOT_LOGGED_IN, RV_SESSION, ERR_TOKEN },
	{ CKR_CURVE_NOT_SUPPORTED, RV_CALLER, ERR_KEY_UNSUPPORTED },
	{ CKR_CRYPTOKI_NOT_INITIALIZED, RV_LOST, ERR_TOKEN },
};

static const struct row *find(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

enum rv_class rv_classify(CK_RV rv)
{
	const struct row *row = find(rv);

	return row ? row->class : RV_CALLER;
}

bool rv_is_pin_refusal(CK_RV rv)
{
	const struct row *row = find(rv);

	return row && row->kind == ERR_TOKEN_PIN;
}

bool rv_is_refusal(CK_RV rv)
{
	static const CK_RV refusals[] = {
		CKR_ATTRIBUTE_READ_ONLY,     CKR_ATTRIBUTE_TYPE_INVALID,
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_ACTION_PROHIBITED,
		CKR_ARGUMENTS_BAD,           CKR_FUNCTION_NOT_SUPPORTED,
		CKR_FUNCTION_REJECTED,       CKR_KEY_FUNCTION_NOT_PERMITTED,
		CKR_KEY_TYPE_INCONSISTENT,   CKR_MECHANISM_INVALID,
		CKR_MECHANISM_PARAM_INVALID, CKR_TEMPLATE_INCOMPLETE,
		CKR_TEMPLATE_INCONSISTENT,   CKR_TOKEN_WRITE_PROTECTED,
		CKR_KEY_SIZE_RANGE,          CKR_WRAPPED_KEY_INVALID,
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i] == rv)
			return true;
	return false;
}

int rv_error(struct error *e, CK_RV rv, const char *what)
{
	const struct row *row = find(rv);

	return error_set_native(e, row ? row->kind : ERR_TOKEN, (long)rv,
				"%s: %s", what, p11_kit_strerror(rv));
}
