/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_FRONT_HTTP_ANSWER_H
#define SB_FRONT_HTTP_ANSWER_H

#include "front/conn.h"

/* Queue a short plain answer of the front itself; the connection is meant to
 * end after it. */
void http_answer(struct conn *c, unsigned status, const char *text);
/* Queue "100 Continue". */
void http_answer_continue(struct conn *c);

#endif
