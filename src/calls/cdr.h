/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CALLS_CDR_H
#define SB_CALLS_CDR_H

#include "sip/sip_facts.h"
#include "store/cdr_rows.h"

/* Call detail records: who took part in what, from when to when. Whoever tells
 * of a call never waits for a disk: records wait in a bounded queue, and a
 * thread writes them in batches. What is older than CDR_GATHER_MS and a
 * transaction survives the end of the process, and all of it an orderly end.
 * While the disk takes nothing, records wait in the queue; those that find it
 * full are lost, which is counted and told. Calls that were up when an earlier
 * run broke off get the records of their end at the start of the next one
 * (serviceInterrupted). Any thread. */

enum {
	CDR_QUEUE = 1024,     /* records that wait; more are lost, */
	CDR_ENDS = 1024,      /* but so many ends of calls */
	CDR_BATCH = 128,      /* records a transaction */
	CDR_GATHER_MS = 100,  /* a batch waits so long for more */
	CDR_RETRY_MS = 1000,  /* from one try to the next */
	CDR_ALIVE_MS = 30000, /* that calls are still up is noted so often */
	CDR_SPARE = 2 << 20,  /* bytes of the disk that are left to others */
	CDR_READ_MOST = 20    /* records that are given at a time */
};

struct cdr;

/* alive_ms: CDR_ALIVE_MS. The store must outlive it. ERR_NOMEM, ERR_LIMIT (no
 * thread). */
struct cdr *cdr_open(struct store *s, int alive_ms, struct error *e) MUST_CHECK;
/* Writes what still waits, if the disk takes it. NULL is fine. */
void cdr_close(struct cdr *c);

/* Takes a copy; number is not looked at. Never blocks. */
void cdr_add(struct cdr *c, const struct cdr_row *row);
/* Returns when what was added before is kept, or could not be. */
void cdr_flush(struct cdr *c);
/* Records that were lost since the start. */
uint64_t cdr_lost(struct cdr *c);

/* The record of a call that was connected or has ended, under these names.
 * Pure. */
void cdr_of_call(const struct sip_call_facts *f, enum cdr_kind kind,
		 const char *conference, const char *participant,
		 struct cdr_row *out);

/* "UDP", "TCP", "TLS"; "" where nothing is known. */
const char *cdr_transport_word(const struct sip_link_facts *l);

/* A batch, as the original gives it: from index on, or from the beginning
 * without one (has_index false), with a negative one, or one that is two or
 * more above the newest. Our own:
 * newest_first begins at the newest, or at index where that is not above it,
 * and goes down; next is 0 where nothing is left. */
struct cdr_query {
	bool has_index;
	int32_t index;
	unsigned kinds; /* 1 << enum cdr_kind */
	size_t most;    /* CDR_READ_MOST at most */
	bool newest_first;
};
struct cdr_batch {
	uint64_t start; /* where it begins: not before the oldest kept */
	uint64_t next;  /* where the next one does */
	bool more;      /* there are more of these kinds now */
	size_t count;
	struct cdr_row rows[CDR_READ_MOST];
};
int cdr_read(struct cdr *c, const struct cdr_query *q, struct cdr_batch *out,
	     struct error *e) MUST_CHECK;

int cdr_range(struct cdr *c, struct cdr_range *out, struct error *e) MUST_CHECK;
/* Those with a smaller number than before. */
int cdr_delete(struct cdr *c, uint64_t before, uint64_t *deleted_out,
	       struct error *e) MUST_CHECK;

#endif
