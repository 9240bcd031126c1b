/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_AUDIT_XML_CHECK_H
#define SB_API_AUDIT_XML_CHECK_H

#include "api/audit_xml.h"
#include "base/key.h"

/* Is an exported audit trail what the service wrote? Needs nothing but the
 * document and the public part of the audit key, which must come from elsewhere
 * than the document. */

struct audit_xml_verdict {
	enum audit_reason reason; /* AUDIT_INTACT */
	uint64_t broken;          /* the first record in doubt, 0 when intact */
	char problem[AUDIT_PROBLEM_MAX];     /* a sentence, "" when intact */
	uint64_t checked;                    /* records that are right */
	uint64_t heads;                      /* with a good signature */
	uint64_t head_counter, signed_up_to; /* of the last of them, or 0 */
	uint64_t uncovered;   /* records behind it: no signature says anything
			       * about them */
	bool names_other_key; /* the document, than the one given */
	uint64_t first, last; /* what it says of itself */
	int64_t exported;
	char host_name[AUDIT_XML_HOST_MAX + 1];
};

/* key NULL: the chain of hashes alone, which whoever wrote the document can
 * have made. Reads the stream up to twice: it must be able to go back to its
 * start. Errors as audit_xml_read(): it is no such document, or cannot be read.
 */
int audit_xml_check(FILE *in, const struct public_key *key,
		    struct audit_xml_verdict *out, struct error *e) MUST_CHECK;

#endif
