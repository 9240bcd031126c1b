/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_CERT_KEY_H
#define SB_CERT_CERT_KEY_H

#include "cert/cert.h"

/* Private to src/cert: the key fields of a certificate under construction. */
void cert_key_fill(struct cert *c);

#endif
