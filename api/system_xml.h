/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_SYSTEM_XML_H
#define SB_API_SYSTEM_XML_H

#include "base/buf.h"

/* The document behind /system.xml, by which clients of the original find out
 * what they talk to. Pure. */

struct system_facts {
	const char *model, *serial, *software_version, *build_version;
	const char *host_name;  /* "" when there is none */
	int64_t uptime_seconds; /* below 0 counts as 0 */
};

/* Append it to out: elements and order of the original, as far as they apply to
 * a device without video ports. ASCII, whatever the facts hold. ERR_LIMIT,
 * ERR_NOMEM. */
int system_xml_write(const struct system_facts *f, struct buf *out,
		     struct error *e) MUST_CHECK;

#endif
