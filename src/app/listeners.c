/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/listeners.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static struct row {
	const char *name;
	enum peer_via via;
	enum setting_id enabled, port;
	/* what is open now, 0 = closed, and why it last was not */
	uint16_t open_port;
	char reason[ERROR_TEXT_MAX];
} rows[] = {
	{ .name = "http",
	  .via = PEER_HTTP,
	  .enabled = SETTING_HTTP_ENABLED,
	  .port = SETTING_HTTP_PORT },
	{ .name = "https",
	  .via = PEER_HTTPS,
	  .enabled = SETTING_HTTPS_ENABLED,
	  .port = SETTING_HTTPS_PORT },
};

static int open_row(struct row *r, struct front *f, const struct config *c,
		    uint16_t port)
{
	struct error e = ERROR_INIT;

	if (front_listen_tcp(f, r->name, r->via,
			     (const char *const *)c->addresses,
			     c->address_count, port, NULL, &e) < 0) {
		if (strcmp(r->reason, e.text))
			log_failure(LOG_LEVEL_ERROR, r->name, &e);
		snprintf(r->reason, sizeof(r->reason), "%s", e.text);
		return -1;
	}
	r->open_port = port;
	r->reason[0] = '\0';
	log_info(r->name, "listening on port %u", port);
	return 0;
}

unsigned listeners_apply(struct front *f, struct settings *s,
			 const struct config *c)
{
	unsigned missing = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct row *r = &rows[i];
		bool wanted = settings_bool(s, r->enabled);
		uint16_t port = (uint16_t)settings_int(s, r->port);

		if (!wanted && r->open_port) {
			front_unlisten(f, r->name);
			r->open_port = 0;
		}
		if (wanted && r->open_port != port &&
		    open_row(r, f, c, port) < 0)
			missing++;
	}
	return missing;
}
