/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/journal.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The place in our source says nothing to whoever reads the journal. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "app/journal_fields.h"

static bool in_use;

static bool put_event(void *arg, const struct log_event *event)
{
	struct journal_entry entry;

	(void)arg;
	journal_of_event(&entry, event);
	return sd_journal_sendv(entry.fields, (int)entry.count) == 0;
}

/* A record that the journal does not take is in the trail all the same. */
static void put_record(void *arg, const struct audit_record *r)
{
	struct journal_entry entry;

	(void)arg;
	journal_of_record(&entry, r);
	(void)sd_journal_sendv(entry.fields, (int)entry.count);
}

void journal_begin(void)
{
	struct stat st;

	in_use =
	    fstat(STDERR_FILENO, &st) == 0 &&
	    journal_stream_is(getenv("JOURNAL_STREAM"), st.st_dev, st.st_ino);
	if (in_use)
		log_set_output(put_event, NULL);
}

void journal_follow(struct audit *a)
{
	if (in_use && audit_add_listener(a, put_record, NULL) < 0)
		log_error("audit", "too many listeners: records do not go to "
				   "the journal");
}

void journal_end(void)
{
	log_set_output(NULL, NULL);
	in_use = false;
}
