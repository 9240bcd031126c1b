/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "front/admission.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void admission_init(struct admission *a)
{
	/* A seed of its own, so that nobody can choose the bucket. */
	random_bytes(&a->seed, sizeof(a->seed));
	for (int i = 0; i < ADMISSION_BUCKETS; i++)
		list_init(&a->buckets[i]);
}

static void make_key(const struct sockaddr *sa, uint8_t key[ADMISSION_KEY])
{
	memset(key, 0, ADMISSION_KEY);
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		key[0] = 6;
		memcpy(key + 1, &in6.sin6_addr, 8);
	} else {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		key[0] = 4;
		memcpy(key + 1, &in.sin_addr, 4);
	}
}

static struct list *bucket(struct admission *a, const uint8_t *key)
{
	uint64_t h = a->seed;

	for (int i = 0; i < ADMISSION_KEY; i++) {
		h ^= key[i];
		h *= UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return &a->buckets[h % ADMISSION_BUCKETS];
}

struct admission_entry *admission_enter(struct admission *a,
					const struct sockaddr *sa,
					unsigned limit)
{
	uint8_t key[ADMISSION_KEY];
	struct admission_entry *entry;
	struct list *head;

	make_key(sa, key);
	head = bucket(a, key);
	for (struct list *l = head->next; l != head; l = l->next) {
		entry = list_owner(l, struct admission_entry, node);
		if (memcmp(entry->key, key, ADMISSION_KEY) != 0)
			continue;
		if (limit && entry->connections >= limit)
			return NULL;
		entry->connections++;
		return entry;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	memcpy(entry->key, key, ADMISSION_KEY);
	entry->connections = 1;
	list_append(head, &entry->node);
	return entry;
}

static void drop_if_unused(struct admission_entry *entry)
{
	if (entry->connections > 0 || entry->requests > 0)
		return;
	list_remove(&entry->node);
	free(entry);
}

void admission_leave(struct admission_entry *entry)
{
	if (!entry)
		return;
	entry->connections--;
	drop_if_unused(entry);
}

void admission_begin_request(struct admission_entry *entry)
{
	if (entry)
		entry->requests++;
}

void admission_end_request(struct admission_entry *entry)
{
	if (!entry)
		return;
	entry->requests--;
	drop_if_unused(entry);
}
