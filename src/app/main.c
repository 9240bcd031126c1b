/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/options.h"
#include "app/service.h"
#include "base/log.h"
#include "config/config.h"
#include "config/settings.h"

/* Set in the environment of the process that a restart executes, so that it
 * does not take its start for a new one. */
#define RESTARTED_VARIABLE "SEALBRIDGE_RESTARTED"

static struct config *load(const struct options *o, struct error *e)
{
	return config_load(o->file, o->overrides, o->override_count, e);
}

/* Only a configuration that can be used may restart the service. */
static int check_config(void *arg, struct error *e)
{
	struct config *c = load(arg, e);
	int rc = c ? settings_check_defaults(c, e) : -1;

	config_free(c);
	return rc;
}

/* A shell allows 1024 descriptors, which programs with select(2) need; nothing
 * here uses it, and each flow is one. How many there are is front_limits'. */
static void raise_descriptors(void)
{
	struct rlimit files;

	/* The unit sets both, and may forbid the call. */
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur == files.rlim_max)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		log_warning("app", "descriptors: %s", strerrordesc_np(errno));
}

/* Nothing of the process may stay behind: no descriptor, no key in a core. */
static void prepare_process(void)
{
	struct rlimit none = { 0, 0 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	raise_descriptors();
	sigaction(SIGPIPE, &ignore, NULL);
}

static int restart(char **argv, const char *self)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv(RESTARTED_VARIABLE, "1", 1);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(self, argv);
	log_error("app", "restart: %s: %s", self, strerrordesc_np(errno));
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	bool restarted = getenv(RESTARTED_VARIABLE) != NULL;
	struct error e = ERROR_INIT;
	char self[PATH_MAX];
	struct config *config;
	struct options o;
	enum service_end end;
	int status;

	unsetenv(RESTARTED_VARIABLE);
	status = options_parse(argc, argv, &o);
	if (status >= 0)
		return status;
	config = load(&o, &e);
	if (!config || settings_check_defaults(config, &e) < 0) {
		fprintf(stderr, "sealbridged: %s\n", e.text);
		config_free(config);
		return EXIT_CONFIG;
	}
	if (o.check_only) {
		printf("%s: configuration is valid\n", o.file);
		config_free(config);
		return EXIT_OK;
	}
	/* By name and not by /proc/self/exe: after an upgrade the restart is
	 * meant to run the new program. */
	if (!realpath("/proc/self/exe", self))
		snprintf(self, sizeof(self), "%s", argv[0]);
	prepare_process();
	end = service_run(config, restarted, check_config, &o, &status, &e);
	config_free(config);
	if (end == SERVICE_FAILED) {
		log_failure(LOG_LEVEL_ERROR, "app", &e);
		return status;
	}
	return end == SERVICE_RESTART ? restart(argv, self) : EXIT_OK;
}
