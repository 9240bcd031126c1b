/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/setting_values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/host_name.h"
#include "base/uri_text.h"
#include "base/utf8.h"

/* How much of a refused value is repeated in a message. */
enum { SHOWN_VALUE_MAX = 60 };

/* Before the "@" of an address. */
enum { URI_USER_MAX = 64 };

int bool_from_word(const char *word, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "true", true },   { "on", true },
		{ "no", false }, { "false", false }, { "off", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(word, words[i].word)) {
			*out = words[i].value;
			return 0;
		}
	return -1;
}

int integer_from_text(const char *text, int64_t *out)
{
	char *end;
	intmax_t n;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -1;
	errno = 0;
	n = strtoimax(text, &end, 10);
	if (errno || *end)
		return -1;
	*out = n;
	return 0;
}

static int check_bool(const struct setting_row *row, const char *text,
		      struct setting_value *out, struct error *e)
{
	bool value;

	if (bool_from_word(text, &value) < 0)
		return error_set(e, ERR_INPUT, "%s: \"%.*s\" is not yes or no",
				 row->name, SHOWN_VALUE_MAX, text);
	out->number = value;
	snprintf(out->text, sizeof(out->text), "%s", value ? "yes" : "no");
	return 0;
}

static int check_int(const struct setting_row *row, const char *text,
		     struct setting_value *out, struct error *e)
{
	if (integer_from_text(text, &out->number) < 0 ||
	    out->number < row->min || out->number > row->max)
		return error_set(
		    e, ERR_INPUT,
		    "%s: \"%.*s\" is not a number from %" PRId64 " to %" PRId64,
		    row->name, SHOWN_VALUE_MAX, text, row->min, row->max);
	snprintf(out->text, sizeof(out->text), "%" PRId64, out->number);
	return 0;
}

static int check_choice(const struct setting_row *row, const char *text,
			struct setting_value *out, struct error *e)
{
	size_t n = strlen(text);
	int64_t at = 0;

	for (const char *p = row->choices; *p; at++) {
		size_t len = strcspn(p, " ");

		if (len == n && !memcmp(p, text, n)) {
			out->number = at;
			snprintf(out->text, sizeof(out->text), "%s", text);
			return 0;
		}
		p += len;
		p += strspn(p, " ");
	}
	return error_set(e, ERR_INPUT, "%s: \"%.*s\" is none of: %s", row->name,
			 SHOWN_VALUE_MAX, text, row->choices);
}

static int check_text(const struct setting_row *row, const char *text,
		      struct setting_value *out, struct error *e)
{
	size_t n = strlen(text);

	if (n >= sizeof(out->text) || (int64_t)n < row->min ||
	    (int64_t)n > row->max)
		return error_set(e, ERR_INPUT,
				 "%s: not a text of %" PRId64 " to %" PRId64
				 " bytes",
				 row->name, row->min, row->max);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return error_set(e, ERR_INPUT,
					 "%s: control character in the value",
					 row->name);
	out->number = 0;
	memcpy(out->text, text, n + 1);
	return 0;
}

static int check_server(const struct setting_row *row, const char *text,
			struct setting_value *out, struct error *e)
{
	struct host_port server = { .port = 0 };

	if (*text && host_port_parse(text, (uint16_t)row->min, &server, e) < 0)
		return error_prefix(e, "%s", row->name);
	out->number = server.port;
	snprintf(out->text, sizeof(out->text), "%s", text);
	return 0;
}

/* --- texts that stand in SIP messages ------------------------------------- */

static int keep_text(const char *text, struct setting_value *out)
{
	out->number = *text != '\0';
	snprintf(out->text, sizeof(out->text), "%s", text);
	return 0;
}

static int check_hop(const struct setting_row *row, const char *text,
		     struct setting_value *out, struct error *e)
{
	struct host_port hop;

	if (*text && host_port_parse(text, 0, &hop, e) < 0)
		return error_prefix(e, "%s", row->name);
	return keep_text(text, out);
}

static int check_domain(const struct setting_row *row, const char *text,
			struct setting_value *out, struct error *e)
{
	struct host_port domain;

	if (*text && host_port_parse(text, 0, &domain, e) < 0)
		return error_prefix(e, "%s", row->name);
	if (*text && domain.port)
		return error_set(e, ERR_INPUT,
				 "%s: a domain has no port; the port belongs "
				 "to the outbound address",
				 row->name);
	return keep_text(text, out);
}

static int check_uri_user(const struct setting_row *row, const char *text,
			  struct setting_value *out, struct error *e)
{
	char shown[SHOWN_VALUE_MAX + 1];

	if (!*text || (strlen(text) <= URI_USER_MAX && uri_is_user(text)))
		return keep_text(text, out);
	utf8_line(view_str(text), shown, sizeof(shown));
	return error_set(e, ERR_INPUT,
			 "%s: \"%s\" is not what may stand before the \"@\" of "
			 "an address: at most %d letters, digits and "
			 "-_.!~*'()&=+$,;?/",
			 row->name, shown, URI_USER_MAX);
}

int setting_value_check(const struct setting_row *row, const char *text,
			struct setting_value *out, struct error *e)
{
	static int (*const checks[])(const struct setting_row *, const char *,
				     struct setting_value *, struct error *) = {
		[SETTING_BOOL] = check_bool,
		[SETTING_INT] = check_int,
		[SETTING_CHOICE] = check_choice,
		[SETTING_TEXT] = check_text,
		[SETTING_SERVER] = check_server,
		[SETTING_HOP] = check_hop,
		[SETTING_DOMAIN] = check_domain,
		[SETTING_URI_USER] = check_uri_user,
	};

	return checks[row->type](row, text, out, e);
}
