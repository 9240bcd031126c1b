/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/http.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 304, "Not Modified" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

/* Kinds without a row are 500: whatever an administrator can cause is an
 * XML-RPC fault and comes with 200. */
static const struct {
	enum error_kind kind;
	int status;
} kinds[] = {
	{ ERR_INPUT, 400 },     { ERR_LIMIT, 413 },     { ERR_TIMEOUT, 408 },
	{ ERR_NOT_FOUND, 404 }, { ERR_AUTH, 403 },      { ERR_PRIVILEGE, 403 },
	{ ERR_NOMEM, 503 },     { ERR_CANCELLED, 503 }, { ERR_FULL, 503 },
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

int http_status_of(enum error_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].status;
	return 500;
}
