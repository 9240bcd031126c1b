/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/redirect.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/* ":" and at most five digits, or nothing. */
static bool is_port(const char *text)
{
	size_t n;

	if (!*text)
		return true;
	if (*text++ != ':')
		return false;
	n = strspn(text, "0123456789");
	return n <= 5 && text[n] == '\0';
}

static bool is_ipv6(const char *text, size_t n)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr ignored;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return inet_pton(AF_INET6, copy, &ignored) == 1;
}

/* Length of the host in a Host header (RFC 9110 7.2), 0: it is none. */
static size_t host_length(const char *header)
{
	const char *end;
	size_t n;

	if (!header)
		return 0;
	if (*header == '[') {
		end = strchr(header, ']');
		if (!end || !is_ipv6(header + 1, (size_t)(end - header) - 1) ||
		    !is_port(end + 1))
			return 0;
		return (size_t)(end - header) + 1;
	}
	n = strspn(header, name_characters);
	if (n > REDIRECT_HOST_MAX || !is_port(header + n))
		return 0;
	return n;
}

/* What may stand in a header without further thought. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f ||
		    strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static bool target_is_good(const char *path, const char *query)
{
	return path && *path == '/' && is_plain(path) &&
	       (!query || is_plain(query)) &&
	       strlen(path) + (query ? strlen(query) + 1 : 0) <=
		   REDIRECT_TARGET_MAX;
}

void redirect_location(const char *host, const char *fallback, uint16_t port,
		       const char *path, const char *query, char *out,
		       size_t size)
{
	size_t n = host_length(host);
	bool brackets = n == 0 && strchr(fallback, ':') != NULL;
	char port_text[8] = "";

	if (n == 0) {
		host = fallback;
		n = strlen(fallback);
	}
	if (!target_is_good(path, query)) {
		path = "/";
		query = NULL;
	}
	if (port != 443)
		snprintf(port_text, sizeof(port_text), ":%u", (unsigned)port);
	snprintf(out, size, "https://%s%.*s%s%s%s%s%s", brackets ? "[" : "",
		 (int)n, host, brackets ? "]" : "", port_text, path,
		 query ? "?" : "", query ? query : "");
}
