/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_AUDIT_AUDIT_RECORD_H
#define SB_AUDIT_AUDIT_RECORD_H

#include "store/audit_rows.h"

/* SHA-256 over the record and the hash of the one before. What is hashed is
 * fixed for ever. Format 2:
 *   "sealbridge audit 2" NUL, previous hash (32 bytes),
 *   number, time (8 bytes each, big-endian),
 *   module, severity, user name, peer, via, event, fields, each with its length
 *   in bytes (4 bytes, big-endian) in front.
 * Format 1 has "sealbridge audit 1", no via, and detail in the place of fields.
 * False: of another format, or longer than any record of ours
 * (AUDIT_RECORD_BYTES_MAX). Pure, any thread. */
enum { AUDIT_RECORD_BYTES_MAX = 8192 };
bool audit_record_hash(const struct audit_row *row,
		       const uint8_t previous[SHA256_SIZE],
		       uint8_t out[SHA256_SIZE]);

#endif
