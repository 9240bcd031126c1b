/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_limit.h"

#include <stdio.h>
#include <string.h>

#define OTHERS "others"

static unsigned find_group(struct log_limit *l, const char *group)
{
	char name[LOG_LIMIT_NAME];
	unsigned i;

	snprintf(name, sizeof(name), "%s", group);
	for (i = 0; i < l->groups; i++)
		if (!strcmp(l->names[i], name))
			return i;
	if (i == LOG_LIMIT_GROUPS)
		return i - 1;
	if (i == LOG_LIMIT_GROUPS - 1)
		snprintf(name, sizeof(name), OTHERS);
	memcpy(l->names[i], name, sizeof(name));
	l->groups++;
	return i;
}

/* A bucket that fills by one drop every so many milliseconds, kept as the time
 * at which it would be full. */
static bool take_drop(struct log_bucket *b, enum log_level level,
		      int64_t now_ms)
{
	bool trace = level >= LOG_LEVEL_TRACE;
	int64_t each = trace ? LOG_LIMIT_TRACE_EACH_MS : LOG_LIMIT_EACH_MS;
	int64_t burst = trace ? LOG_LIMIT_TRACE_BURST : LOG_LIMIT_BURST;

	if (b->full_at_ms < now_ms)
		b->full_at_ms = now_ms;
	if (b->full_at_ms + each > now_ms + burst * each)
		return false;
	b->full_at_ms += each;
	return true;
}

static bool tell(struct log_limit *l, unsigned group, enum log_level level,
		 int64_t now_ms, bool all, struct log_tally *out)
{
	struct log_bucket *b = &l->buckets[group][level];

	if (!b->suppressed || (!all && now_ms - b->told_ms < LOG_LIMIT_TELL_MS))
		return false;
	memcpy(out->group, l->names[group], sizeof(out->group));
	out->level = level;
	out->count = b->suppressed;
	b->suppressed = 0;
	b->told_ms = now_ms;
	return true;
}

bool log_limit_admit(struct log_limit *l, enum log_level level,
		     const char *group, int64_t now_ms,
		     struct log_tally *before)
{
	unsigned g = find_group(l, group);
	struct log_bucket *b = &l->buckets[g][level];

	before->count = 0;
	if (take_drop(b, level, now_ms)) {
		tell(l, g, level, now_ms, false, before);
		return true;
	}
	/* The minute begins with the first that is not told. */
	if (b->suppressed == 0)
		b->told_ms = now_ms;
	if (b->suppressed < UINT32_MAX)
		b->suppressed++;
	l->total++;
	return false;
}

bool log_limit_settle(struct log_limit *l, int64_t now_ms, bool all,
		      struct log_tally *out)
{
	for (unsigned g = 0; g < l->groups; g++)
		for (int level = 0; level < LOG_LEVEL_COUNT; level++)
			if (tell(l, g, (enum log_level)level, now_ms, all, out))
				return true;
	return false;
}
