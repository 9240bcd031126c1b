/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/end_limit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/options.h"

/* Made beforehand: a handler of signals may call next to nothing. */
static char last_words[192];
static size_t last_words_len;
static volatile sig_atomic_t early;
static bool runs;

static void on_limit(int signum)
{
	(void)signum;
	if (write(STDERR_FILENO, last_words, last_words_len) < 0)
		_exit(EXIT_FAILED); /* nowhere left to say so */
	_exit(EXIT_FAILED);
}

static void on_early_end(int signum)
{
	(void)signum;
	early = 1;
	alarm(END_LIMIT_SECONDS);
}

void end_limit_prepare(void)
{
	static const int ends[] = { SIGTERM, SIGINT };
	struct sigaction limit = { .sa_handler = on_limit };
	struct sigaction end = { .sa_handler = on_early_end,
				 .sa_flags = SA_RESTART };

	early = 0;
	runs = false;
	snprintf(last_words, sizeof(last_words),
		 "%sapp: not ended %d s after the request, perhaps because the "
		 "PKCS#11 module does not answer; the process ends now\n",
		 getenv("JOURNAL_STREAM") ? "<3>" : "error ",
		 END_LIMIT_SECONDS);
	last_words_len = strlen(last_words);
	sigaction(SIGALRM, &limit, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigaction(ends[i], &end, NULL);
}

bool end_limit_early(void)
{
	return early != 0;
}

void end_limit_start(void)
{
	/* What has passed since the first request, or an early signal, counts.
	 */
	if (!early && !runs)
		alarm(END_LIMIT_SECONDS);
	runs = true;
}

void end_limit_clear(void)
{
	alarm(0);
}
