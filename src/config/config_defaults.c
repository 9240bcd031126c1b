/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOFTHSM_MODULE "libsofthsm2.so"
#define SOFTHSM_CONFIG "/etc/softhsm/softhsm2.conf"

static int fill(char **member, struct error *e, const char *directory,
		const char *file)
{
	if (*member)
		return 0;
	if (asprintf(member, "%s%s", directory, file) < 0) {
		*member = NULL;
		return error_nomem(e);
	}
	return 0;
}

/* systemd hands over secrets in a directory of their own
 * (LoadCredential=token.pin:...). */
static int fill_pin_file(struct config *c, struct error *e)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (c->token_pin_file)
		return 0;
	if (credentials && *credentials) {
		if (fill(&c->token_pin_file, e, credentials, "/token.pin") < 0)
			return -1;
		if (access(c->token_pin_file, F_OK) == 0)
			return 0;
		free(c->token_pin_file);
		c->token_pin_file = NULL;
	}
	return fill(&c->token_pin_file, e, SB_SYSCONFDIR, "/token.pin");
}

static const char *softhsm_config(const char *module)
{
	const char *slash = strrchr(module, '/');
	const char *set = getenv("SOFTHSM2_CONF");

	if (strcmp(slash ? slash + 1 : module, SOFTHSM_MODULE) != 0)
		return "";
	return set && *set ? set : SOFTHSM_CONFIG;
}

int config_fill_defaults(struct config *c, struct error *e)
{
	const char *state = c->state_directory;

	if (fill(&c->token_lock_file, e, state, "/token.lock") < 0 ||
	    fill(&c->initial_password_file, e, state,
		 "/secrets/admin-password") < 0 ||
	    fill(&c->token_softhsm_conf, e, softhsm_config(c->token_module),
		 "") < 0 ||
	    fill(&c->host_name, e, "", "") < 0)
		return -1;
	return fill_pin_file(c, e);
}
