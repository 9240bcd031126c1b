/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/judge_private.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *va, const void *vb)
{
	const struct cert *a = *(struct cert *const *)va;
	const struct cert *b = *(struct cert *const *)vb;
	int rc = X509_NAME_cmp(X509_get_subject_name(a->x509),
			       X509_get_subject_name(b->x509));

	return rc ? rc : memcmp(a->sha256, b->sha256, SHA256_SIZE);
}

/* Sorted, and each certificate once. */
static int fill_anchors(struct judge_store *s, const struct cert_list *anchors,
			struct error *e)
{
	struct cert **sorted;
	int rc = 0;

	if (!anchors->count)
		return 0;
	sorted = calloc(anchors->count, sizeof(struct cert *));
	if (!sorted)
		return error_nomem(e);
	memcpy(sorted, anchors->items, anchors->count * sizeof(struct cert *));
	qsort(sorted, anchors->count, sizeof(struct cert *), compare);
	for (size_t i = 0; !rc && i < anchors->count; i++)
		if (!i || !cert_equal(sorted[i], sorted[i - 1]))
			rc = cert_list_add(&s->anchors, sorted[i], e);
	free(sorted);
	return rc;
}

struct judge_store *judge_store_new(const struct cert_list *anchors,
				    struct error *e)
{
	struct judge_store *s = calloc(1, sizeof(*s));

	if (!s) {
		error_nomem(e);
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->rules = judge_rules_new(e);
	if (!s->rules || fill_anchors(s, anchors, e) < 0) {
		judge_store_unref(s);
		return NULL;
	}
	return s;
}

struct judge_store *judge_store_ref(const struct judge_store *s)
{
	struct judge_store *mine = (struct judge_store *)(uintptr_t)s;

	atomic_fetch_add(&mine->refs, 1);
	return mine;
}

void judge_store_unref(struct judge_store *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	cert_list_free(&s->anchors);
	X509_STORE_free(s->rules);
	free(s);
}

size_t judge_store_count(const struct judge_store *s)
{
	return s->anchors.count;
}

/* The first anchor whose subject is not below (past: is above) the name. */
static size_t bound(const struct judge_store *s, const X509_NAME *name,
		    bool past)
{
	size_t low = 0, high = s->anchors.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int rc = X509_NAME_cmp(
		    X509_get_subject_name(s->anchors.items[mid]->x509), name);

		if (rc < 0 || (past && rc == 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t judge_store_named(const struct judge_store *s, const X509_NAME *name,
			 size_t *first)
{
	*first = bound(s, name, false);
	return bound(s, name, true) - *first;
}

bool judge_store_holds(const struct judge_store *s, const struct cert *c)
{
	size_t first, n;

	n = judge_store_named(s, X509_get_subject_name(c->x509), &first);
	for (size_t i = first; i < first + n; i++)
		if (cert_equal(s->anchors.items[i], c))
			return true;
	return false;
}
