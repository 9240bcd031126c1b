/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/participants_fixture.h"

#include <stdio.h>

#include "tests/lib/unit.h"

struct people people;

void people_start(void)
{
	struct error e = ERROR_INIT;
	struct participants_options o;

	people.config = config_load("/dev/null", NULL, 0, &e);
	CHECK_OBJECT(people.config, &e);
	people.store = store_open(people.directory, &e);
	CHECK_OBJECT(people.store, &e);
	people.settings = settings_new(people.config, people.store, &e);
	CHECK_OBJECT(people.settings, &e);
	people.cdr = cdr_open(people.store, CDR_ALIVE_MS, &e);
	CHECK_OBJECT(people.cdr, &e);
	control_open(&people.calls, people.settings);
	o = (struct participants_options){ people.store, people.calls.control,
					   people.cdr };
	people.all = participants_new(&o, &e);
	CHECK_OBJECT(people.all, &e);
}

void people_stop(void)
{
	control_close(&people.calls);
	participants_free(people.all);
	cdr_close(people.cdr);
	settings_free(people.settings);
	store_close(people.store);
	config_free(people.config);
}

/* On a new database. */
void people_start_anew(void)
{
	static unsigned n;

	snprintf(people.directory, sizeof(people.directory), "%s/state%u",
		 unit_temp_dir(), n++);
	people_start();
}

struct participant_row people_row(const char *name, const char *address)
{
	struct participant_row r = { .use_registrar = true, .transport = -1 };

	snprintf(r.conference, sizeof(r.conference), "Room");
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.address, sizeof(r.address), "%s", address);
	return r;
}

struct participant_id people_id(const char *name)
{
	return (struct participant_id){ "Room", name, false };
}

int people_add(const char *name, bool defer, bool ad_hoc, struct error *e)
{
	struct participant_row r = people_row(name, "ann@example.com");
	struct participant_view v;

	r.defer = defer;
	return participants_add(people.all, &r, ad_hoc, &v, e);
}

void people_must_add(const char *name, bool defer, bool ad_hoc)
{
	struct error e = ERROR_INIT;

	CHECK_OK(people_add(name, defer, ad_hoc, &e), &e);
}

struct participant_view people_found(struct participant_id id)
{
	struct error e = ERROR_INIT;
	struct participant_view v = { .state = PARTICIPANT_DORMANT };

	CHECK_OK(participants_find(people.all, &id, &v, &e), &e);
	return v;
}

bool people_has(struct participant_id id)
{
	struct error e = ERROR_INIT;
	struct participant_view v;

	if (participants_find(people.all, &id, &v, &e) == 0)
		return true;
	CU_ASSERT_EQUAL(e.kind, ERR_NOT_FOUND);
	return false;
}
