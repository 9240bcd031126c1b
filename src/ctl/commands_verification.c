/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/print.h"

/* certificate test: ask the service's judge about a file. */

static void print_member(const char *label, const struct value *v)
{
	if (!value_string(v)[0])
		return;
	printf("  %-9s ", label);
	print_line(stdout, value_string(v));
	putchar('\n');
}

static void print_path(const struct value *chain, int32_t to_blame)
{
	for (size_t i = 0; i < value_count(chain); i++) {
		const struct value *subject =
		    value_member(value_item(chain, i), "subject");

		printf("  %-9s %zu. ", i ? "" : "Path:", i + 1);
		print_line(stdout, value_string(value_member(subject, "text")));
		puts((int32_t)i + 1 == to_blame ? "  <-" : "");
	}
}

static void print_verdict(const struct value *result)
{
	puts(!strcmp(value_string(value_member(result, "verdict")), "accepted")
		 ? "Accepted"
		 : "Refused");
	print_member("Reason:", value_member(result, "reason"));
	print_path(value_member(result, "chain"),
		   value_int(value_member(result, "reasonAt")));
	print_member("Logs in:", value_member(result, "userName"));
	print_member("No login:", value_member(result, "userReason"));
	print_member("Problem:", value_member(result, "problem"));
}

static void put_option(struct value *params, const char *member,
		       const char *text)
{
	if (text)
		value_put_string(params, member, text);
}

/* A refusal ends with 1, so that a script sees it. */
static int ask(struct ctl *c, struct value *params)
{
	struct value *result = command_result(c, "verification.test", params);
	bool accepted;

	if (!result)
		return command_no_result(c);
	accepted =
	    !strcmp(value_string(value_member(result, "verdict")), "accepted");
	if (c->json)
		print_json(stdout, result);
	else
		print_verdict(result);
	value_free(result);
	return accepted ? CTL_OK : CTL_FAILED;
}

static int run_test(struct ctl *c, int argc, char **argv)
{
	const char *store = NULL, *role = NULL, *host = NULL;
	const struct command_option options[] = {
		{ "store", &store }, { "role", &role }, { "host", &host }, { 0 }
	};
	struct error e = ERROR_INIT;
	struct value *params;

	if (command_words(argc, argv, options, 1, 1) < 0)
		return CTL_USAGE;
	params = value_new_struct();
	if (command_put_pem(params, "certificate", argv[0], &e) < 0) {
		value_free(params);
		return command_failed(&e);
	}
	put_option(params, "trustStore", store);
	put_option(params, "role", role);
	put_option(params, "host", host);
	return ask(c, params);
}

const struct command verification_commands[] = {
	{ "certificate test",
	  "FILE [--store STORE] [--role client|server] [--host HOST]",
	  "would a connection with this PEM file's certificate be accepted?",
	  run_test },
	{ 0 }
};
