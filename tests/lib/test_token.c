/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/test_token.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/lib/unit.h"

int test_run(const char *fmt, ...)
{
	char command[2048];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, 0600)) {
		perror(path);
		exit(99);
	}
}

void test_token_make(struct test_token *t)
{
	char text[512];

	t->dir = unit_temp_dir();
	snprintf(t->conf, sizeof(t->conf), "%s/softhsm2.conf", t->dir);
	snprintf(t->pin_file, sizeof(t->pin_file), "%s/pin", t->dir);
	snprintf(t->state, sizeof(t->state), "%s/state", t->dir);
	snprintf(t->lock_file, sizeof(t->lock_file), "%s/token.lock", t->dir);
	snprintf(text, sizeof(text), "%s/tokens", t->dir);
	if (mkdir(t->state, 0700) || mkdir(text, 0700)) {
		perror(t->dir);
		exit(99);
	}
	snprintf(text, sizeof(text),
		 "directories.tokendir = %s/tokens\n"
		 "objectstore.backend = file\nlog.level = ERROR\n",
		 t->dir);
	write_file(t->conf, text);
	write_file(t->pin_file, TEST_TOKEN_PIN "\n");
	setenv("SOFTHSM2_CONF", t->conf, 1);
	if (test_run("softhsm2-util --init-token --free --label sealbridge "
		     "--so-pin %s --pin %s >/dev/null",
		     TEST_TOKEN_SO_PIN, TEST_TOKEN_PIN) != 0) {
		fprintf(stderr, "softhsm2-util failed\n");
		exit(99);
	}
}

struct token_options test_token_options(const struct test_token *t)
{
	return (struct token_options){
		.module = TEST_TOKEN_MODULE,
		.uri = "pkcs11:token=sealbridge",
		.pin_file = t->pin_file,
		.state_directory = t->state,
		.lock_file = t->lock_file,
		.softhsm_conf = t->conf,
		.max_sessions = 8,
		.wait_ms = 2000,
	};
}

struct token *test_token_open(const struct test_token *t)
{
	struct token_options o = test_token_options(t);
	struct error e = ERROR_INIT;
	struct token *token = token_new(&o, &e);

	if (!token || token_start(token, &e) < 0) {
		fprintf(stderr, "token: %s\n", e.text);
		exit(99);
	}
	return token;
}
