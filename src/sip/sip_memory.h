/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_SIP_SIP_MEMORY_H
#define SB_SIP_SIP_MEMORY_H

/* libosip2 copies bodies and header fields, and frees them as they are; bodies
 * hold the keys of calls (RFC 4568). From this call on it wipes whatever it
 * frees. Any thread, as often as wanted; before the first message. */
void sip_memory_start(void);

#endif
