/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/system_xml.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/device_info.h"
#include "api/method.h"
#include "api/xml_text.h"
#include "base/clock.h"

struct element {
	const char *name, *text;
};

static int write_element(const struct element *el, struct buf *out,
			 struct error *e)
{
	if (buf_addf(out, e, "<%s>", el->name) < 0 ||
	    xml_add_text(out, view_str(el->text), false, e) < 0)
		return -1;
	return buf_addf(out, e, "</%s>\n", el->name);
}

/* Left out as the original does where there is nothing to count: audio and
 * streaming ports, videoPortAllocation. */
int system_xml_write(const struct system_facts *f, struct buf *out,
		     struct error *e)
{
	char uptime[24];
	const struct element elements[] = {
		{ "manufacturer", "Sealbridge" },
		{ "model", f->model },
		{ "serial", f->serial },
		{ "softwareVersion", f->software_version },
		{ "buildVersion", f->build_version },
		{ "hostName", f->host_name },
		{ "totalVideoPorts", "0" },
		{ "portReservationMode", "disabled" },
		{ "maxVideoResolution", "max" },
		{ "uptimeSeconds", uptime },
		{ "clusterType", "unclustered" },
	};

	snprintf(uptime, sizeof(uptime), "%" PRId64,
		 f->uptime_seconds > 0 ? f->uptime_seconds : 0);
	if (buf_adds(out, "<?xml version=\"1.0\"?>\n<system>\n", e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++)
		if (write_element(&elements[i], out, e) < 0)
			return -1;
	return buf_adds(out, "</system>\n", e);
}

int api_system_xml(void *arg, struct buf *out, struct error *e)
{
	const struct api_services *sv = api_services_of(arg);
	char serial[DEVICE_SERIAL_SIZE], host_name[DEVICE_HOST_SIZE];
	struct system_facts f = {
		.model = DEVICE_MODEL,
		.serial = serial,
		.software_version = sv->version,
		.build_version = sv->version,
		.host_name = host_name,
		.uptime_seconds = (int64_t)(clock_now() - sv->started_at),
	};

	device_serial(serial);
	device_host_name(sv->config->host_name, host_name);
	return system_xml_write(&f, out, e);
}
