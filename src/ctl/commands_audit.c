/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/audit_verify.h"
#include "ctl/print.h"

/* audit list, export, verify, key, delete. */

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

static int run_list(struct ctl *c, int argc, char **argv)
{
	struct search s = { NULL };
	const struct command_option options[] = {
		{ "module", &s.module }, { "severity", &s.severity },
		{ "user", &s.user },     { "event", &s.event },
		{ "text", &s.text },     { 0 }
	};

	if (command_words(argc, argv, options, 0, 0) < 0)
		return CTL_USAGE;
	return print_all(c, &s, c->json);
}

/* --- export --- */

/* Pieces until the last one. */
static int write_pieces(struct ctl *c, const char *name, FILE *out)
{
	int32_t next = 0, last = 0;

	do {
		struct value *params = value_new_struct(), *result;

		if (next) {
			value_put_int(params, "from", next);
			value_put_int(params, "to", last);
		}
		result = command_result(c, "auditlog.export", params);
		if (!result)
			return command_no_result(c);
		next = value_int(value_member(result, "next"));
		last = value_int(value_member(result, "last"));
		fputs(value_string(value_member(result, "xml")), out);
		value_free(result);
	} while (next && !ferror(out));
	if (fflush(out) == 0 && !ferror(out))
		return CTL_OK;
	fprintf(stderr, "sealbridgectl: %s: %s\n", name, strerror(errno));
	return CTL_FAILED;
}

static int write_file(struct ctl *c, const char *path)
{
	FILE *out = fopen(path, "w");
	int status;

	if (!out) {
		fprintf(stderr, "sealbridgectl: %s: %s\n", path,
			strerror(errno));
		return CTL_FAILED;
	}
	status = write_pieces(c, path, out);
	if (fclose(out) != 0 && status == CTL_OK) {
		fprintf(stderr, "sealbridgectl: %s: %s\n", path,
			strerror(errno));
		status = CTL_FAILED;
	}
	return status;
}

/* A file appears under its name when it is whole; what is there already and is
 * no file, such as a pipe, is written to. */
static int export_to(struct ctl *c, const char *path)
{
	char *draft = NULL;
	struct stat st;
	int status;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_file(c, path);
	if (asprintf(&draft, "%s.part", path) < 0)
		return CTL_FAILED;
	status = write_file(c, draft);
	if (status == CTL_OK && rename(draft, path) != 0) {
		fprintf(stderr, "sealbridgectl: %s: %s\n", path,
			strerror(errno));
		status = CTL_FAILED;
	}
	if (status != CTL_OK)
		unlink(draft);
	free(draft);
	return status;
}

static int run_export(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	int words = command_words(argc, argv, none, 0, 1);

	if (words < 0)
		return CTL_USAGE;
	if (words == 0 || !strcmp(argv[0], "-"))
		return write_pieces(c, "standard output", stdout);
	return export_to(c, argv[0]);
}

/* --- verify --- */

static void print_verdict(const struct value *r)
{
	int signed_up_to = value_int(value_member(r, "signedUpTo"));

	if (value_boolean(value_member(r, "intact"))) {
		printf("Intact: %d records, %d signed heads",
		       value_int(value_member(r, "checked")),
		       value_int(value_member(r, "heads")));
		if (signed_up_to)
			printf(", signed up to record %d", signed_up_to);
	} else {
		printf("Broken at record %d: ",
		       value_int(value_member(r, "firstBroken")));
		print_line(stdout, value_string(value_member(r, "problem")));
	}
	printf("\nAn older database put back: ");
	print_line(stdout, audit_rollback_words(
			       value_string(value_member(r, "rollback"))));
	putchar('\n');
}

/* A broken chain ends with 1, so that a script sees it. */
static int verify_here(struct ctl *c)
{
	struct value *result = command_result(c, "auditlog.verify", NULL);
	bool intact;

	if (!result)
		return command_no_result(c);
	intact = value_boolean(value_member(result, "intact"));
	if (c->json)
		print_json(stdout, result);
	else
		print_verdict(result);
	value_free(result);
	return intact ? CTL_OK : CTL_FAILED;
}

static int run_verify(struct ctl *c, int argc, char **argv)
{
	const char *file = NULL, *key = NULL;
	const struct command_option options[] = { { "file", &file },
						  { "key", &key },
						  { 0 } };

	if (command_words(argc, argv, options, 0, 0) < 0)
		return CTL_USAGE;
	if (file)
		return audit_verify_file(file, key, c->json);
	if (!key)
		return verify_here(c);
	fputs("sealbridgectl: --key is for --file: the service knows its key\n",
	      stderr);
	return CTL_USAGE;
}

/* --- key, delete --- */

static int run_key(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *result;
	const char *pem;
	int status = CTL_OK;

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	result = command_result(c, "auditlog.query", NULL);
	if (!result)
		return command_no_result(c);
	pem = value_string(value_member(result, "publicKey"));
	if (*pem) {
		fputs(pem, stdout);
	} else {
		fputs("sealbridgectl: there is no audit key yet: it is made "
		      "in the token when the first head is signed\n",
		      stderr);
		status = CTL_FAILED;
	}
	value_free(result);
	return status;
}

static int run_delete(struct ctl *c, int argc, char **argv)
{
	const char *before = NULL;
	const struct command_option options[] = { { "before", &before },
						  { 0 } };
	struct value *params;
	char *end;
	long index;

	if (command_words(argc, argv, options, 0, 0) < 0)
		return CTL_USAGE;
	errno = 0;
	index = before ? strtol(before, &end, 10) : -1;
	if (index < 0 || *end || end == before || errno || index > INT32_MAX) {
		fputs("sealbridgectl: --before takes the index of a record: "
		      "those before it are deleted\n",
		      stderr);
		return CTL_USAGE;
	}
	params = value_new_struct();
	value_put_int(params, "deleteIndex", (int32_t)index);
	return command_call(c, "auditlog.delete", params);
}

#define FILTER \
	"[--module M] [--severity S] [--user NAME] [--event E] [--text TEXT]"

const struct command audit_commands[] = {
	{ "audit list", FILTER, "records of the audit trail, oldest first",
	  run_list },
	{ "audit export", "[FILE]",
	  "the whole trail with its signed heads as an XML document",
	  run_export },
	{ "audit verify", "[--file EXPORT.xml [--key PEM]]",
	  "is the audit trail intact? or the one in that file, by that key,\n"
	  "        without the service",
	  run_verify },
	{ "audit key", "",
	  "the public key that audit verify --file takes, to be kept elsewhere",
	  run_key },
	{ "audit delete", "--before INDEX",
	  "remove the records before that one", run_delete },
	{ 0 }
};
