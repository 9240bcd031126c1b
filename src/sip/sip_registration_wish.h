/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_REGISTRATION_WISH_H
#define SB_SIP_SIP_REGISTRATION_WISH_H

#include "sip/sip_outbound.h"

/* What the settings want of the registration. Any thread. */

struct registration_wish {
	bool on;
	struct sip_dialled to;
	char aor[SIP_URI_SIZE];
	char user[SIP_OUTBOUND_TEXT];
	uint32_t seconds;
	int64_t port; /* of ours, that the contact names; 0: none is open */
	char problem[ERROR_TEXT_MAX]; /* why it cannot even be tried, or "" */
};

void registration_wish_read(struct settings *s, struct registration_wish *out);
/* The same registration, whatever its interval is. */
bool registration_wish_is(const struct registration_wish *a,
			  const struct registration_wish *b);

#endif
