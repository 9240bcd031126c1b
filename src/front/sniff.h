/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_SNIFF_H
#define SB_FRONT_SNIFF_H

#include "base/buf.h"

/* What the first bytes on a TLS port are. Pure. */
enum sniff {
	SNIFF_MORE,  /* cannot say yet, or the first record is not complete */
	SNIFF_HELLO, /* a whole record that begins with a ClientHello */
	SNIFF_HTTP,  /* somebody speaks plain HTTP here */
	SNIFF_NOISE  /* neither */
};

enum { SNIFF_RECORD_MAX = 5 + 16384 };

enum sniff sniff_first_bytes(struct view data);

#endif
