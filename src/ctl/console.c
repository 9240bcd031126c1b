/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/console.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command_table.h"
#include "ctl/console_line.h"
#include "ctl/password.h"

enum { LOGIN_TRIES = 3, MINUTE_MS = 60 * 1000 };

struct console {
	struct ctl *ctl;
	struct console_reader reader;
	bool terminal; /* somebody types */
	bool logged_in;
	int idle_minutes; /* 0: no limit */
	char user[CONSOLE_LINE_MAX + 1];
	struct secret password;
	int status; /* of the last command */
};

static void say(const struct console *s, const char *text)
{
	if (s->terminal)
		fputs(text, stdout);
	fflush(stdout);
}

static void log_out(struct console *s)
{
	secret_free(&s->password);
	s->ctl->client.user = NULL;
	s->logged_in = false;
	s->idle_minutes = 0;
}

/* Does the service take us as we are? -1: it cannot be asked. */
static int may_enter(struct console *s, bool *out)
{
	struct xmlrpc_response r;
	struct error e = ERROR_INIT;

	if (client_call(&s->ctl->client, "session.query", NULL, &r, &e) < 0) {
		command_failed(&e);
		return -1;
	}
	*out = r.result != NULL;
	if (!r.result)
		fprintf(stderr, "%s\n", r.fault_text);
	xmlrpc_response_free(&r);
	return 0;
}

/* Also shows whether an administrator has come in, for whom the console is. */
static int find_timeout(struct console *s)
{
	struct value *params = value_new_struct();
	struct value *v = command_result(s->ctl, "security.query", params);

	if (!v)
		return -1;
	s->idle_minutes = value_int(value_member(v, "timeoutMinutes"));
	value_free(v);
	return 0;
}

static int try_login(struct console *s)
{
	struct error e = ERROR_INIT;
	bool in = false;

	if (password_get(NULL, "Password", false, &s->password, &e) < 0) {
		command_failed(&e);
		return -1;
	}
	s->ctl->client.user = s->user;
	s->ctl->client.password = &s->password;
	if (may_enter(s, &in) == 0 && in && find_timeout(s) == 0) {
		s->logged_in = true;
		return 0;
	}
	log_out(s);
	return -1;
}

/* An empty user name goes on without: some methods need no log-in. */
static void log_in(struct console *s)
{
	for (int i = 0; i < LOGIN_TRIES; i++) {
		say(s, "User: ");
		if (console_read(&s->reader, -1, s->user) != CONSOLE_LINE ||
		    !s->user[0])
			break;
		if (try_login(s) == 0)
			return;
	}
	say(s, "Not logged in; \"login\" asks again.\n");
}

/* With --login the password is known already, and nobody is asked. */
static int enter(struct console *s)
{
	bool in = false;

	if (may_enter(s, &in) < 0)
		return -1;
	if (s->ctl->client.user) {
		s->logged_in = in;
		return in ? find_timeout(s) : -1;
	}
	if (!in && s->terminal)
		log_in(s);
	return 0;
}

static void help(const struct console *s)
{
	(void)s;
	command_list(stdout);
	fputs("  login\n        log in, where the service asks for it\n"
	      "  help\n        this list\n"
	      "  quit\n        leave the console\n",
	      stdout);
}

static void run_command(struct console *s, int argc, char **argv)
{
	int words = 0;
	const struct command *command = command_find(argc, argv, &words);

	if (!command || command->run == console_run) {
		fprintf(stderr, "%s: no such command; \"help\" lists them\n",
			argv[0]);
		s->status = CTL_USAGE;
		return;
	}
	s->status = command->run(s->ctl, argc - words, argv + words);
}

/* False: leave. */
static bool run_line(struct console *s, char *line)
{
	char *words[CONSOLE_WORDS_MAX];
	struct error e = ERROR_INIT;
	int n = 0;

	if (console_split(line, words, &n, &e) < 0)
		s->status = command_failed(&e);
	else if (n == 0)
		return true;
	else if (!strcmp(words[0], "quit") || !strcmp(words[0], "exit"))
		return false;
	else if (!strcmp(words[0], "help"))
		help(s);
	else if (!strcmp(words[0], "login") && s->terminal)
		log_in(s);
	else
		run_command(s, n, words);
	return true;
}

static void end_idle(struct console *s)
{
	printf("\nNothing was typed for %d minute%s: logged out.\n",
	       s->idle_minutes, s->idle_minutes == 1 ? "" : "s");
	log_out(s);
	if (s->terminal)
		log_in(s);
}

static void loop(struct console *s)
{
	char line[CONSOLE_LINE_MAX + 1];

	for (;;) {
		int idle = s->idle_minutes ? s->idle_minutes * MINUTE_MS : -1;

		say(s, s->logged_in ? "sealbridge# " : "sealbridge> ");
		switch (console_read(&s->reader, idle, line)) {
		case CONSOLE_LINE:
			if (!run_line(s, line))
				return;
			break;
		case CONSOLE_TOO_LONG:
			fprintf(stderr, "a line of more than %d bytes\n",
				CONSOLE_LINE_MAX);
			s->status = CTL_USAGE;
			break;
		case CONSOLE_IDLE: end_idle(s); break;
		case CONSOLE_END: say(s, "\n"); return;
		}
	}
}

int console_run(struct ctl *c, int argc, char **argv)
{
	struct console s = { .ctl = c,
			     .reader = { .fd = STDIN_FILENO },
			     .terminal = isatty(STDIN_FILENO) };

	(void)argv;
	if (argc > 0) {
		fputs("sealbridgectl: console takes no arguments\n", stderr);
		return CTL_USAGE;
	}
	if (enter(&s) < 0)
		return command_no_result(c);
	say(&s, "Sealbridge console. \"help\" lists the commands, \"quit\" "
		"leaves.\n");
	loop(&s);
	secret_free(&s.password);
	return s.status;
}
