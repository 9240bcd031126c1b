/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>

#include "ctl/print.h"

/* syslog show, test. */

static const struct command_option no_options[] = { { 0 } };

static void show_text(const char *label, const char *text)
{
	printf("%-9s ", label);
	print_line(stdout, *text ? text : "-");
	putchar('\n');
}

static void show_status(const struct value *r)
{
	show_text("State:", value_string(value_member(r, "state")));
	show_text("Server:", value_string(value_member(r, "server")));
	show_text("Audit:", value_boolean(value_member(r, "audit"))
				? "audit records, too"
				: "events only");
	show_text("Problem:", value_string(value_member(r, "problem")));
	printf("Messages: %d sent, %d waiting, %d dropped\n",
	       value_int(value_member(r, "sent")),
	       value_int(value_member(r, "waiting")),
	       value_int(value_member(r, "dropped")));
}

static int run_show(struct ctl *c, int argc, char **argv)
{
	struct value *result;

	if (command_words(argc, argv, no_options, 0, 0) < 0)
		return CTL_USAGE;
	if (c->json)
		return command_call(c, "syslog.query", NULL);
	result = command_result(c, "syslog.query", NULL);
	if (!result)
		return command_no_result(c);
	show_status(result);
	value_free(result);
	return CTL_OK;
}

/* A message that did not arrive ends with 1, so that a script sees it. */
static int run_test(struct ctl *c, int argc, char **argv)
{
	struct value *result;
	bool sent;

	if (command_words(argc, argv, no_options, 0, 0) < 0)
		return CTL_USAGE;
	result = command_result(c, "syslog.test", NULL);
	if (!result)
		return command_no_result(c);
	sent = value_boolean(value_member(result, "sent"));
	if (c->json)
		print_json(stdout, result);
	else if (sent)
		puts("Sent: the server has acknowledged a test message");
	else
		show_text("Not sent:",
			  value_string(value_member(result, "problem")));
	value_free(result);
	return sent ? CTL_OK : CTL_FAILED;
}

const struct command syslog_commands[] = {
	{ "syslog show", "", "the syslog server and how the sending goes",
	  run_show },
	{ "syslog test", "",
	  "send a test message and wait for what comes of it", run_test },
	{ 0 }
};
