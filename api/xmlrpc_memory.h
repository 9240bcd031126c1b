/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_XMLRPC_MEMORY_H
#define SB_API_XMLRPC_MEMORY_H

/* Makes libxml2 wipe all memory that it gives back, since what it parses are
 * calls with passwords and keys. To be called before each use of it; any
 * thread. */
void xmlrpc_memory_setup(void);

#endif
