/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "ctl/arguments.h"
#include "ctl/print.h"

/* events list, follow, delete. */

enum {
	BATCH = 200,          /* the most that one call gives */
	FOLLOW_SECONDS = 1,   /* from one look to the next */
	FOLLOW_FROM_LAST = 10 /* events shown at the beginning */
};

/* What is asked for; NULL members ask for everything. */
struct search {
	const char *level, *group, *text, *since, *until;
};

static void put_wanted(struct value *filter, const char *member,
		       const char *text)
{
	if (text)
		value_put_string(filter, member, text);
}

static int put_moment(struct value *filter, const char *member,
		      const char *text)
{
	time_t t;

	if (!text)
		return 0;
	if (!argument_time(text, &t)) {
		fprintf(stderr,
			"sealbridgectl: --%s: not a time like "
			"2026-11-21T09:15:00Z\n",
			member);
		return -1;
	}
	value_put_time(filter, member, t);
	return 0;
}

static bool is_usable(const struct search *s)
{
	struct value *scratch = value_new_struct();
	bool good = put_moment(scratch, "since", s->since) == 0 &&
		    put_moment(scratch, "until", s->until) == 0;

	value_free(scratch);
	return good;
}

static struct value *batch_params(const struct search *s, int32_t index)
{
	struct value *params = value_new_struct();
	struct value *filter = value_put_struct(params, "filter");

	value_put_int(params, "index", index);
	value_put_int(params, "numEvents", BATCH);
	put_wanted(filter, "level", s->level);
	put_wanted(filter, "group", s->group);
	put_wanted(filter, "text", s->text);
	/* They were checked before. */
	(void)put_moment(filter, "since", s->since);
	(void)put_moment(filter, "until", s->until);
	return params;
}

static void print_event(const struct value *event)
{
	printf("%d  ", value_int(value_member(event, "index")));
	print_time(stdout, value_member(event, "time"));
	fputs("  ", stdout);
	print_line(stdout, value_string(value_member(event, "level")));
	fputs("  ", stdout);
	print_line(stdout, value_string(value_member(event, "group")));
	fputs("  ", stdout);
	print_line(stdout, value_string(value_member(event, "message")));
	putchar('\n');
}

/* From *next to the end, batch by batch. */
static int print_from(struct ctl *c, const struct search *s, int32_t *next)
{
	bool more = true;

	while (more) {
		struct value *result = command_result(c, "eventlog.enumerate",
						      batch_params(s, *next));
		const struct value *events = value_member(result, "events");

		if (!result)
			return command_no_result(c);
		for (size_t i = 0; i < value_count(events); i++)
			if (c->json)
				print_json_line(stdout, value_item(events, i));
			else
				print_event(value_item(events, i));
		more = value_boolean(value_member(result, "eventsRemaining"));
		*next = value_int(value_member(result, "nextIndex"));
		value_free(result);
	}
	return CTL_OK;
}

static int read_words(int argc, char **argv, struct search *s)
{
	const struct command_option options[] = {
		{ "level", &s->level }, { "group", &s->group },
		{ "text", &s->text },   { "since", &s->since },
		{ "until", &s->until }, { 0 }
	};

	return command_words(argc, argv, options, 0, 0) < 0 || !is_usable(s)
		   ? -1
		   : 0;
}

static int run_list(struct ctl *c, int argc, char **argv)
{
	struct search s = { NULL };
	int32_t next = 0;

	if (read_words(argc, argv, &s) < 0)
		return CTL_USAGE;
	return print_from(c, &s, &next);
}

/* The number of the last event, -1 after a message. */
static int32_t find_last(struct ctl *c)
{
	struct value *result = command_result(c, "eventlog.query", NULL);
	int32_t last =
	    result ? value_int(value_member(result, "lastIndex")) : -1;

	value_free(result);
	return last;
}

/* Until nobody reads, or asks, any more. Numbers that begin anew are those of a
 * new file. */
static int run_follow(struct ctl *c, int argc, char **argv)
{
	struct search s = { NULL };
	int32_t last, next;
	int status;

	if (read_words(argc, argv, &s) < 0)
		return CTL_USAGE;
	last = find_last(c);
	if (last < 0)
		return command_no_result(c);
	next = last < FOLLOW_FROM_LAST ? 0 : last - FOLLOW_FROM_LAST + 1;
	for (;;) {
		int32_t before = next;

		status = print_from(c, &s, &next);
		if (status != CTL_OK || fflush(stdout) != 0)
			return status;
		if (next < before)
			next = 0;
		else
			sleep(FOLLOW_SECONDS);
	}
}

static int run_delete(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	return command_call(c, "eventlog.delete", NULL);
}

#define FILTER                                                           \
	"[--level L] [--group G] [--text TEXT] [--since TIME] [--until " \
	"TIME]"

const struct command events_commands[] = {
	{ "events list", FILTER, "events of the log, oldest first", run_list },
	{ "events follow", FILTER,
	  "the last ones, and each new one as it comes", run_follow },
	{ "events delete", "", "empty the event log", run_delete },
	{ 0 }
};
