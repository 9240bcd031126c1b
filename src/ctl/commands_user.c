/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "ctl/password.h"
#include "ctl/print.h"

/* What "user list" shows of a row. */
static const struct column {
	const char *title, *member;
	int width;
} columns[] = {
	{ "USER", "userName", 24 },       { "NAME", "name", 24 },
	{ "PRIVILEGE", "privilege", 40 }, { "DISABLED", "disabled", 10 },
	{ "BY", "disabledReason", 0 },
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static void show_cell(const struct column *col, const struct value *v)
{
	const char *text = value_string(v);

	if (value_is(v, VALUE_BOOLEAN))
		text = value_boolean(v) ? "yes" : "no";
	print_line(stdout, text);
	for (int n = (int)strlen(text); n < col->width; n++)
		putchar(' ');
}

static void show_users(const struct value *users)
{
	for (int col = 0; col < COLUMNS; col++)
		printf("%-*s", columns[col].width, columns[col].title);
	putchar('\n');
	for (size_t i = 0; i < value_count(users); i++) {
		const struct value *row = value_item(users, i);

		for (int col = 0; col < COLUMNS; col++)
			show_cell(&columns[col],
				  value_member(row, columns[col].member));
		putchar('\n');
	}
}

static int run_list(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *result;

	if (command_words(argc, argv, none, 0, 0) < 0)
		return CTL_USAGE;
	if (c->json)
		return command_call(c, "user.enumerate", NULL);
	result = command_result(c, "user.enumerate", NULL);
	if (!result)
		return command_no_result(c);
	show_users(value_member(result, "users"));
	value_free(result);
	return CTL_OK;
}

/* Ask for (or read) the new password, then call. */
static int call_with_password(struct ctl *c, const char *method,
			      struct value *params, const char *password_file)
{
	struct secret password = { 0 };
	struct error e = ERROR_INIT;

	if (password_get(password_file, "New password", true, &password, &e) <
	    0) {
		value_free(params);
		return command_failed(&e);
	}
	value_put_string(params, "password", (const char *)password.ptr);
	secret_free(&password);
	return command_call(c, method, params);
}

static int run_add(struct ctl *c, int argc, char **argv)
{
	const char *file = NULL, *name = NULL, *privilege = NULL;
	const struct command_option options[] = { { "password-file", &file },
						  { "name", &name },
						  { "privilege", &privilege },
						  { 0 } };
	struct value *params;

	if (command_words(argc, argv, options, 1, 1) < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "userName", argv[0]);
	if (name)
		value_put_string(params, "name", name);
	if (privilege)
		value_put_string(params, "privilege", privilege);
	return call_with_password(c, "user.add", params, file);
}

static int run_password(struct ctl *c, int argc, char **argv)
{
	const char *file = NULL;
	const struct command_option options[] = { { "password-file", &file },
						  { 0 } };
	struct value *params;

	if (command_words(argc, argv, options, 1, 1) < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "userName", argv[0]);
	return call_with_password(c, "user.modify", params, file);
}

static int run_delete(struct ctl *c, int argc, char **argv)
{
	static const struct command_option none[] = { { 0 } };
	struct value *params;

	if (command_words(argc, argv, none, 1, 1) < 0)
		return CTL_USAGE;
	params = value_new_struct();
	value_put_string(params, "userName", argv[0]);
	return command_call(c, "user.delete", params);
}

const struct command user_commands[] = {
	{ "user list", "", "all accounts", run_list },
	{ "user add",
	  "ID [--name NAME] [--privilege LEVEL] [--password-file FILE]",
	  "add an account", run_add },
	{ "user password", "ID [--password-file FILE]",
	  "give an account a new password", run_password },
	{ "user delete", "ID", "delete an account", run_delete },
	{ 0 }
};
