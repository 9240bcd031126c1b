/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/http_answer.h"

#include <stdio.h>
#include <string.h>

static const struct {
	unsigned status;
	const char *reason;
	const char *extra; /* header lines */
} rows[] = {
	{ 400, "Bad Request", "" },
	{ 405, "Method Not Allowed", "Allow: GET, HEAD, POST, OPTIONS\r\n" },
	{ 408, "Request Timeout", "" },
	{ 413, "Content Too Large", "" },
	{ 417, "Expectation Failed", "" },
	{ 431, "Request Header Fields Too Large", "" },
	{ 501, "Not Implemented", "" },
	{ 502, "Bad Gateway", "" },
	{ 503, "Service Unavailable", "Retry-After: 5\r\n" },
	{ 504, "Gateway Timeout", "" },
	{ 505, "HTTP Version Not Supported", "" },
};

void http_answer(struct conn *c, unsigned status, const char *text)
{
	const char *reason = "Error", *extra = "";
	char answer[512];
	int n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].status == status) {
			reason = rows[i].reason;
			extra = rows[i].extra;
		}
	}
	n = snprintf(answer, sizeof(answer),
		     "HTTP/1.1 %u %s\r\n"
		     "Content-Type: text/plain; charset=utf-8\r\n"
		     "Content-Length: %zu\r\n"
		     "X-Content-Type-Options: nosniff\r\n"
		     "Cache-Control: no-store\r\n"
		     "%s"
		     "Connection: close\r\n\r\n"
		     "%s\n",
		     status, reason, strlen(text) + 1, extra, text);
	if (n > 0 && (size_t)n < sizeof(answer))
		conn_write(c, answer, (size_t)n);
}

void http_answer_continue(struct conn *c)
{
	static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

	conn_write(c, answer, sizeof(answer) - 1);
}
