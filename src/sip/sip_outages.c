/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_outages.h"

#include <string.h>

static bool is_same(const struct sip_target *a, const struct sip_target *b)
{
	return a->transport == b->transport && a->port == b->port &&
	       strcmp(a->address, b->address) == 0;
}

static struct sip_outage *find(struct sip_outages *o,
			       const struct sip_target *target)
{
	for (size_t i = 0; i < o->count; i++)
		if (is_same(&o->rows[i].target, target))
			return &o->rows[i];
	return NULL;
}

/* A row for another one: the next, or that of the one that ends first. */
static struct sip_outage *take_row(struct sip_outages *o)
{
	struct sip_outage *first = &o->rows[0];

	if (o->count < SIP_OUTAGES_MAX)
		return &o->rows[o->count++];
	for (size_t i = 1; i < o->count; i++)
		if (o->rows[i].until_ms < first->until_ms)
			first = &o->rows[i];
	return first;
}

void sip_outages_note(struct sip_outages *o, const struct sip_target *target,
		      int64_t now_ms, uint32_t seconds)
{
	struct sip_outage *row = find(o, target);

	if (!row)
		row = take_row(o);
	row->target = *target;
	row->until_ms = now_ms + (int64_t)seconds * 1000;
}

void sip_outages_note_503(struct sip_outages *o,
			  const struct sip_target *target, int64_t now_ms,
			  uint32_t retry_after)
{
	if (!retry_after)
		retry_after = SIP_OUTAGE_503_SECONDS;
	if (retry_after > SIP_OUTAGE_MAX_SECONDS)
		retry_after = SIP_OUTAGE_MAX_SECONDS;
	sip_outages_note(o, target, now_ms, retry_after);
}

void sip_outages_end(struct sip_outages *o, const struct sip_target *target)
{
	struct sip_outage *row = find(o, target);

	if (row)
		*row = o->rows[--o->count];
}

void sip_outages_clear(struct sip_outages *o)
{
	o->count = 0;
}

bool sip_outages_has(const struct sip_outages *o, int64_t now_ms,
		     const struct sip_target *target)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->rows[i].until_ms > now_ms &&
		    is_same(&o->rows[i].target, target))
			return true;
	return false;
}

void sip_outages_order(const struct sip_outages *o, int64_t now_ms,
		       struct sip_target *targets, size_t count)
{
	struct sip_target last[SIP_TARGETS_MAX];
	size_t kept = 0, moved = 0;

	for (size_t i = 0; i < count; i++)
		if (sip_outages_has(o, now_ms, &targets[i]))
			last[moved++] = targets[i];
		else
			targets[kept++] = targets[i];
	for (size_t i = 0; i < moved; i++)
		targets[kept + i] = last[i];
}
