/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_PEM_H
#define SB_CERT_PEM_H

#include "base/base64.h"

/* Private to src/cert: the textual armour of RFC 7468 and RFC 1421, read laxly
 * (anything may stand between blocks, any line ends, blocks glued together),
 * but never so that a block is lost unseen. */

struct pem_block {
	struct view label; /* "CERTIFICATE"; empty: outside of any block */
	struct view body;  /* between the BEGIN and the END marker */
	size_t line;       /* of the BEGIN marker, from 1 */
};

struct pem_reader {
	struct view text;
	size_t at;
	size_t line;
};

void pem_reader_init(struct pem_reader *r, struct view text);

/* 1: *out is the next block; 0: no more; -1: ERR_INPUT, *out says where (the
 * text does not). Views point into the text. */
int pem_next(struct pem_reader *r, struct pem_block *out, struct error *e);

/* The header lines (Proc-Type, DEK-Info) in front of the base64 of a block. */
void pem_split_headers(struct view body, struct view *headers,
		       struct view *base64);

/* Decode into out, which has base64_decoded_max() bytes. -1: not base64 or
 * empty, *bad_out is the offset of the wrong character (or of the end). */
int pem_decode(struct view base64, uint8_t *out, size_t *len_out,
	       size_t *bad_out);
/* Line ends in front of p, which points into text. */
size_t pem_line_ends(struct view text, const uint8_t *p);

/* Why a text without any PEM block is none: "it is empty", "it is binary (DER
 * or PKCS#12), PEM is needed", ... A constant. */
const char *pem_why_none(struct view text);

#endif
