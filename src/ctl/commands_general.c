/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/arguments.h"
#include "ctl/console.h"
#include "ctl/member_types.h"
#include "ctl/print.h"

enum { CALL_WORDS_MAX = 1024 };

static const struct command_option no_options[] = { { 0 } };

/* --- call ----------------------------------------------------------------- */

static int run_call(struct ctl *c, int argc, char **argv)
{
	struct member_types *types = NULL;
	struct error e = ERROR_INIT;
	struct value *params;
	int words = command_words(argc, argv, no_options, 1, CALL_WORDS_MAX);

	if (words < 0)
		return CTL_USAGE;
	if (words > 1)
		types = member_types_query(&c->client, argv[0]);
	params = arguments_to_struct(argv + 1, (size_t)words - 1,
				     member_types_find, types, &e);
	member_types_free(types);
	if (c->client.unreachable)
		value_free(params);
	else if (params)
		return command_call(c, argv[0], params);
	else
		command_failed(&e);
	return c->client.unreachable ? CTL_UNREACHABLE : CTL_USAGE;
}

/* --- status --------------------------------------------------------------- */

static void line(const char *label, const char *text)
{
	printf("%-14s ", label);
	print_line(stdout, text);
	putchar('\n');
}

static void show_device(const struct value *device)
{
	const struct value *since = value_member(device, "restartTime");

	line("Model:", value_string(value_member(device, "model")));
	line("Version:", value_string(value_member(device, "softwareVersion")));
	if (since) {
		printf("%-14s ", "Running since:");
		print_time(stdout, since);
		putchar('\n');
	}
}

static void show_token(const struct value *token)
{
	const char *reason = value_string(value_member(token, "reason"));

	printf("%-14s ", "Token:");
	print_line(stdout, value_string(value_member(token, "state")));
	fputs(", label ", stdout);
	print_line(stdout, value_string(value_member(token, "label")));
	if (*reason) {
		fputs(": ", stdout);
		print_line(stdout, reason);
	}
	putchar('\n');
}

static void show_certificate(const struct value *result)
{
	const struct value *active = value_member(result, "active");
	const struct value *subject = value_member(active, "subject");

	line("Certificate:", value_string(value_member(subject, "text")));
	if (value_member(active, "expires")) {
		printf("%-14s ", "Expires:");
		print_time(stdout, value_member(active, "expires"));
		putchar('\n');
	}
	line("Restart:", value_boolean(value_member(result, "restartRequired"))
			     ? "required, another certificate was uploaded"
			     : "not required");
}

/* What status asks; a part that fails is said and does not hide the others. */
static const struct part {
	const char *name, *method;
	void (*show)(const struct value *result);
} parts[] = {
	{ "device", "device.query", show_device },
	{ "token", "token.query", show_token },
	{ "certificate", "certificate.query", show_certificate },
};

static int run_status(struct ctl *c, int argc, char **argv)
{
	struct value *all = value_new_struct();
	int status = CTL_OK;

	if (command_words(argc, argv, no_options, 0, 0) < 0) {
		value_free(all);
		return CTL_USAGE;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct value *v = command_result(c, parts[i].method, NULL);

		if (v && !c->json)
			parts[i].show(v);
		if (v)
			value_put(all, parts[i].name, v);
		else
			status = command_no_result(c);
		if (c->client.unreachable)
			break;
	}
	if (c->json && value_count(all))
		print_json(stdout, all);
	value_free(all);
	return status;
}

/* --- token ---------------------------------------------------------------- */

static int run_token_show(struct ctl *c, int argc, char **argv)
{
	if (command_words(argc, argv, no_options, 0, 0) < 0)
		return CTL_USAGE;
	return command_call(c, "token.query", NULL);
}

const struct command general_commands[] = {
	{ "status", "", "the service, its token and its certificate",
	  run_status },
	{ "token show", "", "state, keys and mechanisms of the token",
	  run_token_show },
	{ "call", "METHOD [NAME=VALUE | NAME=@FILE]...",
	  "call a method of the API", run_call },
	{ "console", "", "commands one after the other from standard input",
	  console_run },
	{ 0 }
};
