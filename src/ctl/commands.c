/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/arguments.h"
#include "ctl/print.h"

/* The value of option o when argv[*at] is it; NULL with *bad set when it has
 * none. */
static const char *option_value(const struct command_option *o, int argc,
				char **argv, int *at, bool *bad)
{
	size_t len = strlen(o->name);
	const char *word = argv[*at] + 2;

	if (strncmp(word, o->name, len))
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	if (word[len])
		return NULL;
	if (*at + 1 < argc)
		return argv[++*at];
	*bad = true;
	return NULL;
}

static bool take_option(const struct command_option *o, int argc, char **argv,
			int *at)
{
	bool bad = false;

	for (; o->name && !bad; o++) {
		const char *value = option_value(o, argc, argv, at, &bad);

		if (value) {
			*o->value = value;
			return true;
		}
	}
	fprintf(stderr, "sealbridgectl: %s %s\n",
		bad ? "no value for" : "unknown option", argv[*at]);
	return false;
}

int command_words(int argc, char **argv, const struct command_option *options,
		  int min, int max)
{
	bool only_words = false;
	int words = 0;

	for (int i = 0; i < argc; i++) {
		if (!only_words && !strcmp(argv[i], "--"))
			only_words = true;
		else if (only_words || strncmp(argv[i], "--", 2))
			argv[words++] = argv[i];
		else if (!take_option(options, argc, argv, &i))
			return -1;
	}
	if (words < min || words > max) {
		fprintf(stderr, "sealbridgectl: too %s arguments\n",
			words < min ? "few" : "many");
		return -1;
	}
	return words;
}

int command_failed(const struct error *e)
{
	fprintf(stderr, "sealbridgectl: %s\n", e->text);
	return CTL_FAILED;
}

int command_put_pem(struct value *params, const char *member, const char *path,
		    struct error *e)
{
	struct buf content;
	int rc = -1;

	buf_init_secret(&content, ARGUMENT_FILE_MAX);
	if (argument_read_file(path, &content, e) == 0) {
		rc = 0;
		if (memchr(buf_cstr(&content), 0, content.len))
			rc =
			    error_set(e, ERR_INPUT, "%s: not a PEM file", path);
		else
			value_put_string(params, member, buf_cstr(&content));
	}
	buf_free(&content);
	return rc;
}

int command_no_result(const struct ctl *c)
{
	return c->client.unreachable ? CTL_UNREACHABLE : CTL_FAILED;
}

struct value *command_result(struct ctl *c, const char *method,
			     struct value *params)
{
	struct value *result = client_result(&c->client, method, params);

	value_free(params);
	return result;
}

int command_call(struct ctl *c, const char *method, struct value *params)
{
	struct value *result = command_result(c, method, params);

	if (!result)
		return command_no_result(c);
	if (c->json)
		print_json(stdout, result);
	else
		print_text(stdout, result);
	value_free(result);
	return CTL_OK;
}
