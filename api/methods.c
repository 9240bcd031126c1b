/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/method.h"

#include <string.h>

static const struct method *const areas[] = {
	methods_system,      methods_session,     methods_device,
	methods_certificate, methods_token,       methods_trust,
	methods_user,        methods_audit,       methods_verification_test,
	methods_warnings,    methods_settings,    methods_change,
	methods_services,    methods_events,      methods_syslog,
	methods_cdr,         methods_participant, methods_calls,
	methods_sip,
};

const struct method *method_at(size_t i)
{
	for (size_t a = 0; a < sizeof(areas) / sizeof(*areas); a++)
		for (const struct method *m = areas[a]; m->name; m++)
			if (i-- == 0)
				return m;
	return NULL;
}

const struct method *method_find(const char *name)
{
	const struct method *m;

	for (size_t i = 0; (m = method_at(i)); i++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}
