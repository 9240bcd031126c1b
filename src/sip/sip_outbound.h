/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_OUTBOUND_H
#define SB_SIP_SIP_OUTBOUND_H

#include "config/settings.h"
#include "sip/sip_uri.h"

/* The settings of outgoing calls and of the registration as the rules of
 * sip_uri.h take them: the one place that knows both. Any thread. */

enum { SIP_OUTBOUND_TEXT = 300 };

struct sip_outbound_now {
	struct sip_outbound_settings rules; /* its texts are those below */
	char address[SIP_OUTBOUND_TEXT], domain[SIP_OUTBOUND_TEXT];
	char user_name[SIP_OUTBOUND_TEXT];
};

/* As they are in force. Not to be copied as a value, since rules point into it.
 * A change at the same time may be seen in part; who listens to changes reads
 * again. ERR_NOMEM. */
int sip_outbound_read(struct settings *s, struct sip_outbound_now *out,
		      struct error *e) MUST_CHECK;

/* A bit (setting_bit()) for each of the settings that this reads. */
uint64_t sip_outbound_bits(void);

/* Of the choices of sip.outgoingTransport, and of others that are in the same
 * order: "tcp", "udp", "tls". */
enum sip_transport sip_outbound_transport(int choice);

#endif
