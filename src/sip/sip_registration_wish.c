/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_registration_wish.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_registration.h"

/* Where we listen for the transport that others are to reach us by. */
static int64_t own_port(struct settings *s, enum sip_transport transport)
{
	static const struct {
		enum setting_id enabled, port;
	} services[] = {
		[SIP_UDP] = { SETTING_SIP_UDP_ENABLED, SETTING_SIP_UDP_PORT },
		[SIP_TCP] = { SETTING_SIP_TCP_ENABLED, SETTING_SIP_TCP_PORT },
		[SIP_TLS] = { SETTING_SIPS_TCP_ENABLED, SETTING_SIPS_TCP_PORT },
	};

	return settings_bool(s, services[transport].enabled)
		   ? settings_int(s, services[transport].port)
		   : 0;
}

void registration_wish_read(struct settings *s, struct registration_wish *out)
{
	struct sip_outbound_now now;
	struct error e = ERROR_INIT;

	memset(out, 0, sizeof(*out));
	out->seconds =
	    (uint32_t)settings_int(s, SETTING_SIP_REGISTRATION_SECONDS);
	if (sip_outbound_read(s, &now, &e) < 0) {
		log_failure(LOG_LEVEL_ERROR, "sip", &e);
		return;
	}
	out->on = now.rules.mode == SIP_USE_REGISTRAR;
	if (!out->on)
		return;
	snprintf(out->user, sizeof(out->user), "%s", now.user_name);
	out->port = own_port(s, now.rules.transport);
	if (!*now.user_name)
		snprintf(out->problem, sizeof(out->problem),
			 "There is no user name to register with; enter it in "
			 "the SIP settings.");
	else if (sip_register_as(now.user_name, &now.rules, &out->to, out->aor,
				 &e) < 0)
		snprintf(out->problem, sizeof(out->problem), "%s", e.text);
}

bool registration_wish_is(const struct registration_wish *a,
			  const struct registration_wish *b)
{
	return a->on == b->on && strcmp(a->aor, b->aor) == 0 &&
	       strcmp(a->to.host, b->to.host) == 0 &&
	       a->to.port == b->to.port && a->to.transport == b->to.transport &&
	       a->port == b->port && strcmp(a->problem, b->problem) == 0;
}

uint64_t sip_registration_bits(void)
{
	return sip_outbound_bits() |
	       setting_bit(SETTING_SIP_REGISTRATION_SECONDS) |
	       setting_bit(SETTING_SIP_USE_LOCAL_CERTIFICATE) |
	       setting_bit(SETTING_SIP_VERIFICATION) |
	       setting_bit(SETTING_SIP_UDP_ENABLED) |
	       setting_bit(SETTING_SIP_UDP_PORT) |
	       setting_bit(SETTING_SIP_TCP_ENABLED) |
	       setting_bit(SETTING_SIP_TCP_PORT) |
	       setting_bit(SETTING_SIPS_TCP_ENABLED) |
	       setting_bit(SETTING_SIPS_TCP_PORT);
}
