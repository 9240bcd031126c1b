/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_STORE_CDR_ROWS_H
#define SB_STORE_CDR_ROWS_H

#include "store/store.h"

/* Call detail records. What strangers call themselves stands in them: every
 * text is written as one line of UTF-8 without control characters, cut to its
 * room. Errors as in store.h. Any thread. */

enum {
	CDR_KEPT = 100000,   /* the newest stay */
	CDR_CUT_EVERY = 100, /* so many more may stand there meanwhile */
	CDR_TEXT_MAX = 256,  /* of a name or an address, with the NUL */
	CDR_WORD_MAX = 48    /* of what is one of our own words */
};

enum cdr_kind { CDR_JOINED, CDR_LEFT, CDR_KIND_COUNT };
enum { CDR_ALL_KINDS = (1 << CDR_KIND_COUNT) - 1 };

struct cdr_row {
	uint64_t number; /* given by the store, ascending, never twice */
	time_t at;
	enum cdr_kind kind;
	char conference[CDR_TEXT_MAX], participant[CDR_TEXT_MAX];
	char address[CDR_TEXT_MAX];
	bool incoming;
	char transport[CDR_WORD_MAX], encryption[CDR_WORD_MAX];
	char tls_version[CDR_WORD_MAX], cipher[CDR_WORD_MAX];
	char peer_identity[CDR_TEXT_MAX];
	bool verified;
	int64_t seconds;           /* CDR_LEFT: connected so long */
	char reason[CDR_WORD_MAX]; /* CDR_LEFT */
	/* Not kept, but to find calls whose end nobody recorded: the number of
	 * a call that was connected, unique in a run, 0 for none; and since
	 * when it is (clock_monotonic_ms()). */
	uint64_t call;
	int64_t since_ms;
};

/* In one transaction; the numbers of rows are not looked at. A call that has
 * joined is open until its CDR_LEFT is there. */
int store_cdr_add(struct store *s, const struct cdr_row *rows, size_t count,
		  struct error *e) MUST_CHECK;

/* The calls that an earlier run has left open get their CDR_LEFT, at that time
 * and for that reason; their durations are those that were last known. Before
 * any call of this run is added. */
int store_cdr_end_open(struct store *s, time_t at, const char *reason,
		       uint64_t *count_out, struct error *e) MUST_CHECK;
/* It is that late (clock_monotonic_ms()), and calls that are open still are.
 * *open_out: how many. */
int store_cdr_alive(struct store *s, int64_t now_ms, uint64_t *open_out,
		    struct error *e) MUST_CHECK;

/* first..last: what was given away so far and is still there; first is last + 1
 * when none is. */
struct cdr_range {
	uint64_t first, last, count;
};
int store_cdr_range(struct store *s, struct cdr_range *out,
		    struct error *e) MUST_CHECK;

/* At most count rows of these kinds (1 << kind) with from <= number <= to. */
struct cdr_selection {
	uint64_t from, to;
	unsigned kinds;
	size_t count;
	bool downward; /* from the newest of them */
};
int store_cdr_each(struct store *s, const struct cdr_selection *what,
		   int (*each)(void *arg, const struct cdr_row *row,
			       struct error *e),
		   void *arg, struct error *e) MUST_CHECK;

/* Those with a smaller number than before; numbers go on. */
int store_cdr_delete(struct store *s, uint64_t before, uint64_t *deleted_out,
		     struct error *e) MUST_CHECK;

#endif
