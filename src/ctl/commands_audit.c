/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/print.h"

/* audit list, export, verify. */

enum { BATCH = 200 }; /* the most that one call gives */

/* What is asked for; NULL members ask for everything. */
struct search {
	const char *module, *severity, *user, *event, *text;
};

static void put_wanted(struct value *filter, const char *member,
		       const char *text)
{
	if (text)
		value_put_string(filter, member, text);
}

static struct value *batch_params(const struct search *s, int32_t index)
{
	struct value *params = value_new_struct();
	struct value *filter = value_put_struct(params, "filter");

	value_put_int(params, "index", index);
	value_put_int(params, "numEvents", BATCH);
	put_wanted(filter, "module", s->module);
	put_wanted(filter, "severity", s->severity);
	put_wanted(filter, "userName", s->user);
	put_wanted(filter, "event", s->event);
	put_wanted(filter, "text", s->text);
	return params;
}

static void print_record(const struct value *r)
{
	static const char *const members[] = { "severity", "module", "userName",
					       "peer", "event" };

	printf("%d  ", value_int(value_member(r, "index")));
	print_time(stdout, value_member(r, "time"));
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const char *text = value_string(value_member(r, members[i]));

		fputs("  ", stdout);
		print_line(stdout, *text ? text : "-");
	}
	fputs("  ", stdout);
	print_line(stdout, value_string(value_member(r, "detail")));
	putchar('\n');
}

/* Prints one batch; *next is where the next one begins. */
static void print_batch(const struct value *result, bool json, int32_t *next)
{
	const struct value *events = value_member(result, "events");

	for (size_t i = 0; i < value_count(events); i++) {
		const struct value *r = value_item(events, i);

		if (json)
			print_json_line(stdout, r);
		else
			print_record(r);
		*next = value_int(value_member(r, "index")) + 1;
	}
}

/* Oldest first, batch by batch, to the end. */
static int print_all(struct ctl *c, const struct search *s, bool json)
{
	bool more = true;
	int32_t next = 0;

	while (more) {
		struct value *result = command_result(c, "auditlog.enumerate",
						      batch_params(s, next));
		int32_t before = next;

		if (!result)
			return command_no_result(c);
		print_batch(result, json, &next);
		more = value_boolean(value_member(result, "eventsRemaining")) &&
		       next > before;
		value_free(result);
	}
	return CTL_OK;
}

static int run_with(struct ctl *c, int argc, char **argv, bool json)
{
	struct search s = { NULL };
	const struct command_option options[] = {
		{ "module", &s.module }, { "severity", &s.severity },
		{ "user", &s.user },     { "event", &s.event },
		{ "text", &s.text },     { 0 }
	};

	if (command_words(argc, argv, options, 0, 0) < 0)
		return CTL_USAGE;
	return print_all(c, &s, json);
}

static int run_list(struct ctl *c, int argc, char **argv)
{
	return run_with(c, argc, argv, c->json);
}

static int run_export(struct ctl *c, int argc, char **argv)
{
	return run_with(c, argc, argv, true);
}

/* A broken chain ends with 1, so that a script sees it. */
static int run_verify(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *result;
	bool intact;

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	result = command_result(c, "auditlog.verify", NULL);
	if (!result)
		return command_no_result(c);
	intact = value_boolean(value_member(result, "intact"));
	if (c->json)
		print_json(stdout, result);
	else if (intact)
		printf("Intact: %d records\n",
		       value_int(value_member(result, "checked")));
	else
		printf("Broken at record %d\n",
		       value_int(value_member(result, "firstBroken")));
	value_free(result);
	return intact ? CTL_OK : CTL_FAILED;
}

#define FILTER \
	"[--module M] [--severity S] [--user NAME] [--event E] [--text TEXT]"

const struct command audit_commands[] = {
	{ "audit list", FILTER, "records of the audit trail, oldest first",
	  run_list },
	{ "audit export", FILTER, "the same, one JSON document a line",
	  run_export },
	{ "audit verify", "", "is the chain of the audit trail intact?",
	  run_verify },
	{ 0 }
};
