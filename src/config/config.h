/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CONFIG_CONFIG_H
#define SB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The configuration file, sealbridge.conf(5): what an installation decides and
 * an administrator in the browser cannot. Read once; immutable afterwards.
 * Which keys there are is one table, config_keys.def. */

enum {
	CONFIG_ADDRESSES_MAX = 16,
	CONFIG_DEFAULTS_MAX = 128,
	CONFIG_FILES_MAX = 100,   /* in conf.d */
	CONFIG_LINES_MAX = 10000, /* of one file */
	CONFIG_PATH_MAX = 4095,
	CONFIG_SOCKET_MAX = 107, /* sun_path of unix(7) */
	CONFIG_TEXT_MAX = 1024
};

struct config {
	char *file; /* the path it came from */
	char *token_module, *token_uri, *token_pin_file;
	bool token_required;
	unsigned token_max_sessions;
	char *token_lock_file; /* default: token.lock in the state directory */
	char *token_softhsm_conf; /* default: $SOFTHSM2_CONF, else Debian's
				   * /etc/softhsm/softhsm2.conf, when the module
				   * is libsofthsm2.so; else "" */
	char *token_key_kind;     /* of the device's own key: "ecP256" */
	char *state_directory;
	char *web_directory;
	char *control_socket;
	char *addresses[CONFIG_ADDRESSES_MAX];
	size_t address_count;
	char *host_name; /* [device] host-name; the system's when empty */
	/* [sip]: ports of the audio of calls, in pairs */
	unsigned sip_first_media_port, sip_last_media_port;
	char *initial_password_file; /* [users], see src/auth/users.h */
	char *sip_dns_servers; /* "ADDRESS:PORT,..."; the system's when "" */
	/* [defaults]: factory defaults of settings, checked by
	 * settings_check_defaults() */
	struct config_default {
		char *name, *value;
		char *file;    /* where it stands; of an override "-s" */
		unsigned line; /* 0: an override */
	} defaults[CONFIG_DEFAULTS_MAX];
	size_t default_count;
};

/* file, then the files conf.d/ *.conf beside it in order of name, then
 * "SECTION.KEY=VALUE" overrides. The later one wins; twice in one file is an
 * error. Lines are at most 197 bytes long (inih); '#' and ';' begin a comment
 * at the start of a line or after white space; a key may follow its [section]
 * on the same line. ERR_CONFIG names file and line (or the override), also when
 * a file cannot be read. */
struct config *config_load(const char *file, const char *const *overrides,
			   size_t override_count, struct error *e) MUST_CHECK;
void config_free(struct config *c);

#endif
