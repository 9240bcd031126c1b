/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CTL_AUDIT_VERIFY_H
#define SB_CTL_AUDIT_VERIFY_H

#include <stdbool.h>

/* sealbridgectl audit verify --file: an exported audit trail is checked on any
 * machine, without the service, its token or its database. */

/* key_path NULL: the chain alone. Prints the verdict; exit status: 0 intact, 1
 * broken, 2 what cannot be read. */
int audit_verify_file(const char *path, const char *key_path, bool json);

/* The "rollback" of auditlog.verify in words. */
const char *audit_rollback_words(const char *rollback);

#endif
