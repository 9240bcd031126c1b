/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_OWN_CERTIFICATE_H
#define SB_SIP_SIP_OWN_CERTIFICATE_H

#include "config/settings.h"
#include "identity/identity.h"

/* Whether SIP peers would take the certificate in service for this device: by
 * the outbound domain, where one is set and in use, else by its host name and
 * addresses. "" in text: they would, or nothing is in service yet; else what is
 * missing, one line for people. Any thread. */
void sip_own_certificate_problem(struct identity *identity, struct settings *s,
				 char text[SIP_OWN_NAMES_TEXT]);

#endif
