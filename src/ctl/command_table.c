/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/command_table.h"

#include <string.h>

static const struct command *const tables[] = {
	general_commands, certificate_commands,  trust_commands,
	user_commands,    verification_commands, change_commands,
	audit_commands,   events_commands,       syslog_commands
};
enum { TABLES = sizeof(tables) / sizeof(*tables) };

const struct command *command_find(int argc, char **argv, int *words_out)
{
	char two[64] = "";

	if (argc > 1)
		snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]);
	for (int t = 0; t < TABLES; t++)
		for (const struct command *c = tables[t]; c->name; c++) {
			*words_out = strchr(c->name, ' ') ? 2 : 1;
			if (!strcmp(c->name, *words_out == 2 ? two : argv[0]))
				return c;
		}
	return NULL;
}

void command_list(FILE *out)
{
	for (int t = 0; t < TABLES; t++)
		for (const struct command *c = tables[t]; c->name; c++)
			fprintf(out, "  %s%s%s\n        %s\n", c->name,
				*c->arguments ? " " : "", c->arguments,
				c->help);
}
