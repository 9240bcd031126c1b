/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>

#include "ctl/print.h"

/* change show, confirm, revert; rescue. */

static const struct command_option no_options[] = { { 0 } };

static void show_setting(const struct value *s)
{
	fputs("    ", stdout);
	print_line(stdout, value_string(value_member(s, "name")));
	fputs(": ", stdout);
	print_line(stdout, value_string(value_member(s, "from")));
	fputs(" -> ", stdout);
	print_line(stdout, value_string(value_member(s, "to")));
	putchar('\n');
}

static void show_change(const struct value *change)
{
	const struct value *settings = value_member(change, "settings");

	print_line(stdout, value_string(value_member(change, "changeId")));
	fputs("  of ", stdout);
	print_line(stdout, value_string(value_member(change, "userName")));
	printf(", reverts in %d s\n",
	       value_int(value_member(change, "secondsLeft")));
	for (size_t i = 0; i < value_count(settings); i++)
		show_setting(value_item(settings, i));
}

static int run_show(struct ctl *c, int argc, char **argv)
{
	const struct value *list;
	struct value *result;

	if (command_words(argc, argv, no_options, 0, 0) < 0)
		return CTL_USAGE;
	if (c->json)
		return command_call(c, "change.query", NULL);
	result = command_result(c, "change.query", NULL);
	if (!result)
		return command_no_result(c);
	list = value_member(result, "changes");
	if (value_count(list) == 0)
		puts("no change is on trial");
	for (size_t i = 0; i < value_count(list); i++)
		show_change(value_item(list, i));
	value_free(result);
	return CTL_OK;
}

static const char *id_at(const struct value *list, size_t i)
{
	return value_string(value_member(value_item(list, i), "changeId"));
}

/* The only one on trial, NULL after a message when there is none, or more. */
static struct value *only_change(const struct value *list)
{
	struct value *params;

	if (value_count(list) == 1) {
		params = value_new_struct();
		value_put_string(params, "changeId", id_at(list, 0));
		return params;
	}
	fprintf(stderr, "sealbridgectl: %s\n",
		value_count(list) ? "several changes are on trial, name one:"
				  : "no change is on trial");
	for (size_t i = 0; i < value_count(list); i++) {
		print_line(stderr, id_at(list, i));
		fputc('\n', stderr);
	}
	return NULL;
}

static int end_only_change(struct ctl *c, const char *method)
{
	struct value *all = command_result(c, "change.query", NULL), *params;

	if (!all)
		return command_no_result(c);
	params = only_change(value_member(all, "changes"));
	value_free(all);
	return params ? command_call(c, method, params) : CTL_FAILED;
}

static int end_change(struct ctl *c, int argc, char **argv, const char *method)
{
	int words = command_words(argc, argv, no_options, 0, 1);
	struct value *params;

	if (words < 0)
		return CTL_USAGE;
	if (words == 0)
		return end_only_change(c, method);
	params = value_new_struct();
	value_put_string(params, "changeId", argv[0]);
	return command_call(c, method, params);
}

static int run_confirm(struct ctl *c, int argc, char **argv)
{
	return end_change(c, argc, argv, "change.confirm");
}

static int run_revert(struct ctl *c, int argc, char **argv)
{
	return end_change(c, argc, argv, "change.revert");
}

static int run_rescue(struct ctl *c, int argc, char **argv)
{
	if (command_words(argc, argv, no_options, 0, 0) < 0)
		return CTL_USAGE;
	return command_call(c, "change.rescue", NULL);
}

const struct command change_commands[] = {
	{ "change show", "", "changes of settings that are on trial",
	  run_show },
	{ "change confirm", "[ID]", "keep a change on trial", run_confirm },
	{ "change revert", "[ID]", "take a change on trial back now",
	  run_revert },
	{ "rescue", "",
	  "root only: client certificates not required, HTTP and HTTPS on, "
	  "changes on trial reverted",
	  run_rescue },
	{ 0 }
};
