/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				     SIGTSTP };
enum { FATAL_SIGNALS = sizeof(fatal_signals) / sizeof(*fatal_signals) };

static volatile sig_atomic_t caught;

static void on_signal(int signum)
{
	caught = signum;
}

static void catch_signals(struct sigaction old[FATAL_SIGNALS])
{
	struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART */

	caught = 0;
	for (int i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &sa, &old[i]);
}

/* What was caught takes effect now that the terminal echoes again. */
static void release_signals(const struct sigaction old[FATAL_SIGNALS])
{
	for (int i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &old[i], NULL);
	if (caught)
		raise(caught);
}

static int read_line(int fd, struct secret *out, struct error *e)
{
	char line[PASSWORD_BYTES_MAX + 2];
	size_t len = 0;
	ssize_t n = 1;
	int rc = -1;

	while (len < sizeof(line) - 1 && n == 1) {
		n = read(fd, line + len, 1);
		if (n == 1 && line[len++] == '\n')
			break;
	}
	if (n < 0)
		error_errno(e, "terminal");
	else if (len == 0 || line[len - 1] != '\n')
		error_set(e, ERR_INPUT, "the password was not finished");
	else
		rc = secret_copy(out, view_of(line, len - 1), e);
	secret_wipe(line, sizeof(line));
	return rc;
}

int password_ask(const char *question, struct secret *out, struct error *e)
{
	struct sigaction actions[FATAL_SIGNALS];
	struct termios normal, quiet;
	int fd, rc;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &normal) < 0) {
		if (fd >= 0)
			close(fd);
		return error_set(e, ERR_UNSUPPORTED,
				 "no terminal to ask for a password: give it "
				 "with --password-file");
	}
	catch_signals(actions);
	quiet = normal;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	/* In this order: what is typed ahead of the question is thrown away,
	 * what answers it is not. */
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(fd, "%s: ", question);
	rc = read_line(fd, out, e);
	tcsetattr(fd, TCSAFLUSH, &normal);
	dprintf(fd, "\n");
	close(fd);
	release_signals(actions);
	return rc;
}

int password_get(const char *file, const char *question, bool is_new,
		 struct secret *out, struct error *e)
{
	struct secret again = { 0 };
	int rc;

	if (file)
		return secret_read_file(out, file, PASSWORD_BYTES_MAX, e);
	if (password_ask(question, out, e) < 0)
		return -1;
	if (!is_new)
		return 0;
	rc = password_ask("Again", &again, e);
	if (rc == 0 && !view_equal(view_of(out->ptr, out->len),
				   view_of(again.ptr, again.len)))
		rc = error_set(e, ERR_INPUT, "the two differ");
	secret_free(&again);
	if (rc < 0)
		secret_free(out);
	return rc;
}
