/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_own_certificate.h"

#include "base/log.h"
#include "sip/sip_outbound.h"

void sip_own_certificate_problem(struct identity *identity, struct settings *s,
				 char text[SIP_OWN_NAMES_TEXT])
{
	struct sip_outbound_now now;
	struct error e = ERROR_INIT;

	text[0] = '\0';
	if (sip_outbound_read(s, &now, &e) < 0) {
		log_failure(LOG_LEVEL_WARNING, "sip", &e);
		return;
	}
	/* A direct call knows no domain. */
	(void)identity_fits_sip(
	    identity, now.rules.mode == SIP_CALL_DIRECT ? "" : now.domain,
	    text);
}
