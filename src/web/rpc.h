/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_WEB_RPC_H
#define SB_WEB_RPC_H

#include "web/http.h"
#include "web/web.h"

/* POST /RPC2: read the body within its limits, hand it to the API, send what it
 * answered. Returns the HTTP status sent. */
int rpc_serve(struct mg_connection *c, const struct web_options *o,
	      const struct peer *peer);

#endif
