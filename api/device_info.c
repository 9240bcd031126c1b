/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/device_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

void device_serial(char out[DEVICE_SERIAL_SIZE])
{
	char text[DEVICE_HOST_SIZE + 32] = "sealbridge serial ";
	size_t n = strlen(text);
	FILE *f = fopen("/etc/machine-id", "re");
	uint8_t hash[SHA256_SIZE];

	if (!f || !fgets(text + n, (int)(sizeof(text) - n), f) ||
	    text[n] == '\n')
		gethostname(text + n, sizeof(text) - n - 1);
	if (f)
		fclose(f);
	text[sizeof(text) - 1] = '\0';
	sha256_of(view_str(text), hash);
	hex_encode(hash, (DEVICE_SERIAL_SIZE - 1) / 2, out);
	for (char *p = out; *p; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
}

void device_host_name(const char *configured, char out[DEVICE_HOST_SIZE])
{
	out[0] = '\0';
	if (configured && configured[0])
		snprintf(out, DEVICE_HOST_SIZE, "%s", configured);
	else if (gethostname(out, DEVICE_HOST_SIZE - 1) < 0)
		out[0] = '\0';
	out[DEVICE_HOST_SIZE - 1] = '\0';
}

int device_cpu_load(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	double load = 0;

	if (getloadavg(&load, 1) != 1 || load < 0)
		return 0;
	load = 100 * load / (double)(processors > 0 ? processors : 1);
	return load > 100 ? 100 : (int)load;
}
