/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config_private.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/key.h"
#include "config/setting_values.h"

static void *member(struct config *c, const struct key_row *row)
{
	return (char *)c + row->member;
}

static int put_text(struct config *c, const struct key_row *row,
		    const char *value, struct error *e)
{
	char **at = member(c, row), *copy = strdup(value);

	if (!copy)
		return error_nomem(e);
	free(*at);
	*at = copy;
	return 0;
}

static int set_text(struct config *c, const struct key_row *row,
		    const char *value, struct error *e)
{
	size_t n = strlen(value);

	if (n == 0 && row->min > 0)
		return error_set(e, ERR_CONFIG, "%s needs a value", row->name);
	if (n > (size_t)row->max)
		return error_set(e, ERR_CONFIG, "%s: longer than %ld bytes",
				 row->name, row->max);
	return put_text(c, row, value, e);
}

static int set_uri(struct config *c, const struct key_row *row,
		   const char *value, struct error *e)
{
	if (strncmp(value, "pkcs11:", 7) != 0)
		return error_set(e, ERR_CONFIG,
				 "%s: not a PKCS#11 URI (RFC 7512), as in "
				 "pkcs11:token=sealbridge",
				 row->name);
	if (strstr(value, "slot-id="))
		return error_set(e, ERR_CONFIG,
				 "%s: slot numbers change; name the token",
				 row->name);
	if (strstr(value, "pin-value="))
		return error_set(e, ERR_CONFIG,
				 "%s: a PIN has no place here; use pin-file",
				 row->name);
	return set_text(c, row, value, e);
}

static int set_key_type(struct config *c, const struct key_row *row,
			const char *value, struct error *e)
{
	enum key_kind kind;

	if (key_kind_from_name(value, &kind) < 0)
		return error_set(e, ERR_CONFIG,
				 "%s: \"%s\" is none of rsa2048 rsa3072 "
				 "rsa4096 ecP256 ecP384",
				 row->name, value);
	return put_text(c, row, value, e);
}

static int set_bool(struct config *c, const struct key_row *row,
		    const char *value, struct error *e)
{
	if (bool_from_word(value, member(c, row)) < 0)
		return error_set(e, ERR_CONFIG, "%s: \"%s\" is not yes or no",
				 row->name, value);
	return 0;
}

static int set_count(struct config *c, const struct key_row *row,
		     const char *value, struct error *e)
{
	unsigned *at = member(c, row);
	int64_t n;

	if (integer_from_text(value, &n) < 0 || n < row->min || n > row->max)
		return error_set(e, ERR_CONFIG,
				 "%s: \"%s\" is not a number from %ld to %ld",
				 row->name, value, row->min, row->max);
	*at = (unsigned)n;
	return 0;
}

static bool numeric_address(const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	/* getaddrinfo takes "1" and "0x7f.1" for addresses too. */
	if (!strchr(text, ':') && strspn(text, "0123456789.") != strlen(text))
		return false;
	if (!strchr(text, ':')) {
		int dots = 0;

		for (const char *p = text; *p; p++)
			dots += *p == '.';
		if (dots != 3)
			return false;
	}
	if (getaddrinfo(text, NULL, &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static void free_addresses(struct config *c)
{
	for (size_t i = 0; i < c->address_count; i++)
		free(c->addresses[i]);
	c->address_count = 0;
}

static int add_address(struct config *c, const char *text, struct error *e)
{
	if (!numeric_address(text))
		return error_set(e, ERR_CONFIG,
				 "addresses: \"%s\" is not a numeric address",
				 text);
	for (size_t i = 0; i < c->address_count; i++)
		if (!strcmp(c->addresses[i], text))
			return error_set(e, ERR_CONFIG,
					 "addresses: %s stands there twice",
					 text);
	if (c->address_count >= CONFIG_ADDRESSES_MAX)
		return error_set(e, ERR_CONFIG, "addresses: more than %d",
				 CONFIG_ADDRESSES_MAX);
	c->addresses[c->address_count] = strdup(text);
	if (!c->addresses[c->address_count])
		return error_nomem(e);
	c->address_count++;
	return 0;
}

static int set_addresses(struct config *c, const struct key_row *row,
			 const char *value, struct error *e)
{
	char *copy = strdup(value), *at = NULL;
	int rc = 0;

	if (!copy)
		return error_nomem(e);
	free_addresses(c);
	for (char *p = strtok_r(copy, ", \t", &at); p && rc == 0;
	     p = strtok_r(NULL, ", \t", &at))
		rc = add_address(c, p, e);
	free(copy);
	if (rc == 0 && c->address_count == 0)
		rc = error_set(e, ERR_CONFIG, "%s needs a value", row->name);
	return rc;
}

/* "ADDRESS", "ADDRESS:PORT" or "[IPv6]:PORT"; cuts it there. */
static bool is_server(char *text)
{
	char *host = text, *port = strchr(text, ':');
	int64_t n;

	if (*text == '[') {
		char *end = strchr(text, ']');

		if (!end)
			return false;
		*end = '\0';
		host = text + 1;
		port = end[1] ? end + 1 : NULL;
		if (!strchr(host, ':') || (port && *port != ':'))
			return false;
	} else if (port && strchr(port + 1, ':')) {
		port = NULL; /* IPv6 */
	}
	if (port) {
		*port++ = '\0';
		if (integer_from_text(port, &n) < 0 || n < 1 || n > 65535)
			return false;
	}
	return numeric_address(host);
}

/* Kept with commas and without blanks. */
static int set_servers(struct config *c, const struct key_row *row,
		       const char *value, struct error *e)
{
	char *all = strdup(value), *one = NULL, *at = NULL, *out;
	long count = 0;
	int rc = 0;

	out = calloc(1, strlen(value) + 1);
	if (!all || !out)
		rc = error_nomem(e);
	for (char *p = all; rc == 0; p = NULL) {
		one = strtok_r(p, ", \t", &at);
		if (!one)
			break;
		sprintf(out + strlen(out), "%s%s", *out ? "," : "", one);
		if (!is_server(one))
			rc = error_set(e, ERR_CONFIG,
				       "%s: \"%s\" is not ADDRESS or "
				       "ADDRESS:PORT, numeric, an IPv6 address "
				       "with a port in brackets",
				       row->name, value);
		else if (++count > row->max)
			rc = error_set(e, ERR_CONFIG, "%s: more than %ld",
				       row->name, row->max);
	}
	if (rc == 0)
		rc = put_text(c, row, out, e);
	free(all);
	free(out);
	return rc;
}

static int (*const setters[])(struct config *, const struct key_row *,
			      const char *, struct error *) = {
	[CONFIG_TYPE_TEXT] = set_text,
	[CONFIG_TYPE_PATH] = set_text,
	[CONFIG_TYPE_URI] = set_uri,
	[CONFIG_TYPE_KEY_TYPE] = set_key_type,
	[CONFIG_TYPE_BOOL] = set_bool,
	[CONFIG_TYPE_COUNT] = set_count,
	[CONFIG_TYPE_ADDRESSES] = set_addresses,
	[CONFIG_TYPE_SERVERS] = set_servers,
};

int config_value_set(struct config *c, const struct key_row *row,
		     const char *value, struct error *e)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return error_set(e, ERR_CONFIG,
					 "%s: control character in the value",
					 row->name);
	return setters[row->type](c, row, value, e);
}

void config_value_free(struct config *c, const struct key_row *row)
{
	if (row->type == CONFIG_TYPE_ADDRESSES)
		free_addresses(c);
	else if (row->type != CONFIG_TYPE_BOOL &&
		 row->type != CONFIG_TYPE_COUNT)
		free(*(char **)member(c, row));
}
