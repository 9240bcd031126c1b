/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_REDIRECT_H
#define SB_WEB_REDIRECT_H

#include <stddef.h>
#include <stdint.h>

/* Where a request over plain HTTP is sent when only HTTPS shall be used. Pure.
 */

enum { REDIRECT_HOST_MAX = 255, REDIRECT_TARGET_MAX = 480 };

/* "https://HOST[:PORT]TARGET" into out; HOST is that of the Host header when it
 * is a plain name or address (it is the visitor's own word, and nothing else of
 * it is repeated), else the fallback; the port is left out when it is 443; a
 * target that is no plain path, or longer than REDIRECT_TARGET_MAX, becomes
 * "/". host and query may be NULL. */
void redirect_location(const char *host, const char *fallback, uint16_t port,
		       const char *path, const char *query, char *out,
		       size_t size);

#endif
