/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sip_transport sip_outbound_transport(int choice)
{
	static const enum sip_transport transports[] = { SIP_TCP, SIP_UDP,
							 SIP_TLS };

	return transports[choice];
}

static int read_text(struct settings *s, enum setting_id id,
		     char out[SIP_OUTBOUND_TEXT], struct error *e)
{
	char *text = settings_text(s, id);

	if (!text)
		return error_nomem(e);
	snprintf(out, SIP_OUTBOUND_TEXT, "%s", text);
	free(text);
	return 0;
}

int sip_outbound_read(struct settings *s, struct sip_outbound_now *out,
		      struct error *e)
{
	static const enum sip_outbound modes[] = { SIP_CALL_DIRECT,
						   SIP_USE_TRUNK,
						   SIP_USE_REGISTRAR };

	memset(out, 0, sizeof(*out));
	if (read_text(s, SETTING_SIP_OUTBOUND_ADDRESS, out->address, e) < 0 ||
	    read_text(s, SETTING_SIP_OUTBOUND_DOMAIN, out->domain, e) < 0 ||
	    read_text(s, SETTING_SIP_USER_NAME, out->user_name, e) < 0)
		return -1;
	out->rules = (struct sip_outbound_settings){
		.mode = modes[settings_choice(s, SETTING_SIP_OUTBOUND)],
		.address = out->address,
		.domain = out->domain,
		.transport = sip_outbound_transport(
		    settings_choice(s, SETTING_SIP_OUTGOING_TRANSPORT)),
	};
	return 0;
}

uint64_t sip_outbound_bits(void)
{
	return setting_bit(SETTING_SIP_OUTBOUND) |
	       setting_bit(SETTING_SIP_OUTBOUND_ADDRESS) |
	       setting_bit(SETTING_SIP_OUTBOUND_DOMAIN) |
	       setting_bit(SETTING_SIP_USER_NAME) |
	       setting_bit(SETTING_SIP_OUTGOING_TRANSPORT);
}
