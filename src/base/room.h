/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_BASE_ROOM_H
#define SB_BASE_ROOM_H

#include <stdint.h>

#include "base/error.h"

/* Room on file systems. Any thread. */

/* Bytes that can still be written where path (a file or directory) lies;
 * UINT64_MAX when the file system does not say. ERR_IO: path is not there. */
int room_left(const char *path, uint64_t *out, struct error *e) MUST_CHECK;

/* Fill *e with ERR_FULL: which file system has how much left, and what helps.
 * path: the file that could not grow, or its directory. Returns -1. */
int room_error(const char *path, long native, struct error *e);

#endif
