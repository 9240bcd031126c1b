/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_PKCS11_DATA_H
#define SB_PKCS11_DATA_H

#include "pkcs11/token.h"

/* Small values that the token keeps (CKO_DATA, private, application
 * "sealbridge"), one for each label. Private, since who can write such an
 * object knows the PIN; a public one could be anybody's. Errors beside those of
 * token.h are named. Any thread. */

enum { TOKEN_DATA_MAX = 4096 };

/* Every value with that label: several where a replacement was interrupted, and
 * possibly some more than once. A token without data objects has none. each()'s
 * -1 ends the walk. */
int token_data_each(struct token *t, const char *label,
		    int (*each)(void *arg, struct view value, struct error *e),
		    void *arg, struct error *e) MUST_CHECK;

/* Write the value, make it durable, then remove all others with that label:
 * killed at any point, the old or the new one is there. One caller at a time
 * for each label. ERR_UNSUPPORTED: the token keeps no data objects; ERR_LIMIT.
 */
int token_data_replace(struct token *t, const char *label, struct view value,
		       struct error *e) MUST_CHECK;

#endif
