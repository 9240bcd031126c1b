/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "trust/trust_private.h"

/* As the package ca-certificates installs it, and as it links it when the
 * administrator has not switched it off. */
static const char *const call_home_files[] = {
	"/usr/share/ca-certificates/mozilla/IdenTrust_Commercial_Root_CA_1.crt",
	"/etc/ssl/certs/IdenTrust_Commercial_Root_CA_1.pem",
	NULL,
};

/* One row a store. Names of sets and labels stand in tokens: they are never
 * changed. */
const struct trust_row trust_rows[TRUST_STORE_COUNT] = {
	[TRUST_HTTPS] = { .name = "https",
			  .title = "HTTPS trust store",
			  .set_name = "trust https",
			  .label = "sealbridge trust https" },
	[TRUST_SIP] = { .name = "sip",
			.title = "SIP trust store",
			.set_name = "trust sip",
			.label = "sealbridge trust sip" },
	[TRUST_CALL_HOME] = { .name = "callHome",
			      .title = "Call Home trust store",
			      .set_name = "trust callHome",
			      .label = "sealbridge trust callHome",
			      .factory_files = call_home_files },
};

const char *trust_store_name(enum trust_store_id id)
{
	return trust_rows[id].name;
}

const char *trust_store_title(enum trust_store_id id)
{
	return trust_rows[id].title;
}

int trust_store_from_name(const char *name, enum trust_store_id *out)
{
	for (int i = 0; i < TRUST_STORE_COUNT; i++)
		if (!strcmp(trust_rows[i].name, name)) {
			*out = (enum trust_store_id)i;
			return 0;
		}
	return -1;
}

bool trust_store_has_factory(enum trust_store_id id)
{
	return trust_rows[id].factory_files != NULL;
}

const char *trust_source_name(enum trust_source source)
{
	static const char *const names[] = {
		[TRUST_NONE] = "none",
		[TRUST_UPLOADED] = "uploaded",
		[TRUST_DEFAULT] = "default",
	};

	return names[source];
}
