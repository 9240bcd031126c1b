/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/host_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { LABEL_MAX = 63 };

static const char label_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static bool parse_address(const char *text, struct host *out)
{
	size_t len = strlen(text);
	char inner[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, text, out->ip) == 1) {
		out->ip_len = 4;
		return true;
	}
	if (len > 2 && text[0] == '[' && text[len - 1] == ']' &&
	    len - 2 < sizeof(inner)) {
		memcpy(inner, text + 1, len - 2);
		inner[len - 2] = '\0';
		text = inner;
	}
	if (inet_pton(AF_INET6, text, out->ip) != 1)
		return false;
	out->ip_len = 16;
	return true;
}

/* Labels of letters, digits, "-" and "_"; the last one not of digits only,
 * which would be an address misspelt. */
static bool parse_name(const char *text, struct host *out)
{
	size_t len = strlen(text);
	const char *label = text;

	if (len && text[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(out->name))
		return false;
	for (const char *end = text + len;;) {
		size_t n = strspn(label, label_characters);

		if (n == 0 || n > LABEL_MAX)
			return false;
		if (label + n == end)
			break;
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
	if (strspn(label, "0123456789") == strspn(label, label_characters))
		return false;
	memcpy(out->name, text, len);
	return true;
}

int host_parse(const char *text, struct host *out, struct error *e)
{
	char shown[100];

	memset(out, 0, sizeof(*out));
	if (parse_address(text, out) || parse_name(text, out))
		return 0;
	utf8_line(view_str(text), shown, sizeof(shown));
	return error_set(e, ERR_INPUT,
			 "\"%s\" is neither a host name nor an address", shown);
}

/* --- with a port ---------------------------------------------------------- */

enum { PORT_DIGITS_MAX = 5 };

static int refuse(const char *text, const char *why, struct error *e)
{
	char shown[100];

	utf8_line(view_str(text), shown, sizeof(shown));
	return error_set(e, ERR_INPUT, "\"%s\": %s", shown, why);
}

static int parse_port(const char *whole, const char *text, uint16_t *out,
		      struct error *e)
{
	size_t n = strspn(text, "0123456789");
	long port =
	    n && n <= PORT_DIGITS_MAX && !text[n] ? strtol(text, NULL, 10) : 0;

	if (port < 1 || port > UINT16_MAX)
		return refuse(whole, "the port is a number from 1 to 65535", e);
	*out = (uint16_t)port;
	return 0;
}

/* Where the host ends and, behind a colon, the port begins (NULL: none). */
static int split(const char *text, size_t *host_len, const char **port,
		 struct error *e)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(end ? end : text, ':');

	if (text[0] == '[' && (!end || (end[1] && end[1] != ':')))
		return refuse(text, "an IPv6 address stands in brackets", e);
	if (!end && colon && strchr(colon + 1, ':'))
		return refuse(text, "an IPv6 address stands in brackets", e);
	*port = colon ? colon + 1 : NULL;
	*host_len = end     ? (size_t)(end - text) - 1
		    : colon ? (size_t)(colon - text)
			    : strlen(text);
	return 0;
}

int host_port_parse(const char *text, uint16_t fallback, struct host_port *out,
		    struct error *e)
{
	const char *port = NULL;
	struct host host;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	out->port = fallback;
	if (split(text, &n, &port, e) < 0)
		return -1;
	if (n >= sizeof(out->host))
		return refuse(text, "the host name is too long", e);
	memcpy(out->host, text + (text[0] == '['), n);
	if (host_parse(out->host, &host, e) < 0)
		return -1;
	if ((text[0] == '[') != (host.ip_len == 16))
		return refuse(text, "brackets are for an IPv6 address", e);
	return port ? parse_port(text, port, &out->port, e) : 0;
}
