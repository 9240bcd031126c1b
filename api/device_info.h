/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_DEVICE_INFO_H
#define SB_API_DEVICE_INFO_H

#include "api/value.h"

/* Facts about the machine, read from the kernel at each call. */

#define DEVICE_MODEL "Sealbridge"

enum { DEVICE_SERIAL_SIZE = 13, DEVICE_HOST_SIZE = 256 };

/* Stable, of this installation alone and telling nothing about it: hex of a
 * hash over /etc/machine-id, else over the host name. */
void device_serial(char out[DEVICE_SERIAL_SIZE]);
/* The configured one, else the kernel's. */
void device_host_name(const char *configured, char out[DEVICE_HOST_SIZE]);
/* Percent of all processors over the last minute, at most 100. */
int device_cpu_load(void);
/* portA and portB: the first two interfaces, those with an address before
 * others, the loopback left out; dns: the resolvers. Names of members as in the
 * original's device.network. */
void device_put_network(struct value *out);

#endif
