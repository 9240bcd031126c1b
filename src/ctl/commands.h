/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_COMMANDS_H
#define SB_CTL_COMMANDS_H

#include "ctl/client.h"

/* Exit status of the program. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,      /* a fault, or anything else that went wrong */
	CTL_USAGE = 2,       /* the command line is wrong */
	CTL_UNREACHABLE = 69 /* nobody answers on the control socket */
};

struct ctl {
	struct client client;
	bool json;
};

/* One row a command. argv are the words behind its name; returns an exit
 * status. */
struct command {
	const char *name; /* "user add" */
	const char *arguments;
	const char *help;
	int (*run)(struct ctl *c, int argc, char **argv);
};

/* Each ends with an empty row. */
extern const struct command general_commands[];
extern const struct command audit_commands[];
extern const struct command events_commands[];
extern const struct command certificate_commands[];
extern const struct command syslog_commands[];
extern const struct command trust_commands[];
extern const struct command user_commands[];
extern const struct command change_commands[];
extern const struct command verification_commands[];

/* "--name VALUE" or "--name=VALUE" among the words of a command. */
struct command_option {
	const char *name;
	const char **value;
};

/* Sort the words into options (the list ends with an empty row) and at least
 * min, at most max others, which are moved to the front of argv. Their number,
 * or -1 after a message. */
int command_words(int argc, char **argv, const struct command_option *options,
		  int min, int max);

/* Put the text of a PEM file into params. ERR_INPUT, ERR_IO. */
int command_put_pem(struct value *params, const char *member, const char *path,
		    struct error *e) MUST_CHECK;
/* Complain in one line; gives CTL_FAILED. */
int command_failed(const struct error *e);
/* Call, print the result, free params and result. Gives an exit status. */
int command_call(struct ctl *c, const char *method, struct value *params);
/* Call and free params: the result or NULL after a message. */
struct value *command_result(struct ctl *c, const char *method,
			     struct value *params);
/* The status that follows from a NULL of command_result(). */
int command_no_result(const struct ctl *c);

#endif
