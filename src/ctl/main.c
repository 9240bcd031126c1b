/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config/config.h"
#include "ctl/command_table.h"
#include "ctl/password.h"

#define CONFIG_FILE    SB_SYSCONFDIR "/sealbridge.conf"
#define CONTROL_SOCKET SB_RUNSTATEDIR "/control.sock"

struct options {
	const char *config_file, *socket_path, *user, *password_file;
	bool json;
};

static void print_usage(FILE *out)
{
	fputs(
	    "usage: sealbridgectl [-c FILE] [--socket PATH] [--json]\n"
	    "                     [--login USER [--login-password-file FILE]] "
	    "COMMAND ...\n\n",
	    out);
	command_list(out);
	fputs("\n"
	      "  -c FILE        configuration that names the control socket\n"
	      "                 (" CONFIG_FILE ")\n"
	      "  --socket PATH  the control socket itself\n"
	      "  --json         print replies as JSON\n"
	      "  --login USER   log in, where the service asks for it; the\n"
	      "                 password comes from the terminal or from\n"
	      "                 --login-password-file FILE\n"
	      "  -V, -h         print the version, this text\n\n"
	      "Exit status: 0, 1 fault or failure, 2 usage, 69 nobody answers\n"
	      "on the control socket. sealbridgectl(1) has the details.\n",
	      out);
}

/* Exit status, or -1 to go on. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "login", required_argument, NULL, 'l' },
		{ "login-password-file", required_argument, NULL, 'p' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+c:Vh", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->config_file = optarg; break;
		case 's': o->socket_path = optarg; break;
		case 'j': o->json = true; break;
		case 'l': o->user = optarg; break;
		case 'p': o->password_file = optarg; break;
		case 'V': puts("sealbridgectl " PACKAGE_VERSION); return CTL_OK;
		case 'h': print_usage(stdout); return CTL_OK;
		default: print_usage(stderr); return CTL_USAGE;
		}
	}
	if (o->password_file && !o->user) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	return -1;
}

/* The caller frees. A configuration that cannot be read matters only when it
 * was named. */
static char *control_socket(const struct options *o, struct error *e)
{
	struct config *config;
	char *path = NULL;

	if (o->socket_path)
		return strdup(o->socket_path);
	config = config_load(o->config_file ? o->config_file : CONFIG_FILE,
			     NULL, 0, e);
	if (config)
		path = strdup(config->control_socket);
	else if (!o->config_file)
		path = strdup(CONTROL_SOCKET);
	config_free(config);
	return path;
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	struct options o = { 0 };
	struct error e = ERROR_INIT;
	struct secret password = { 0 };
	struct ctl ctl = { 0 };
	int words = 0, status;
	char *path;

	status = parse_options(argc, argv, &o);
	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_DFL);
	argc -= optind;
	argv += optind;
	if (argc > 0)
		command = command_find(argc, argv, &words);
	if (!command) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	path = control_socket(&o, &e);
	if (!path)
		return command_failed(&e);
	if (o.user && password_get(o.password_file, "Password", false,
				   &password, &e) < 0) {
		free(path);
		return command_failed(&e);
	}
	ctl.client.socket_path = path;
	ctl.client.user = o.user;
	ctl.client.password = &password;
	ctl.json = o.json;
	status = command->run(&ctl, argc - words, argv + words);
	secret_free(&password);
	free(path);
	if (fflush(stdout) != 0) {
		perror("sealbridgectl: standard output");
		status = CTL_FAILED;
	}
	return status;
}
