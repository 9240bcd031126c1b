/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "tests/unit/accounts_fixture.h"

struct accounts_device device;

static void end_sessions(const char *id, void *arg)
{
	(void)arg;
	strcat(strcat(device.ended, id), " ");
}

void open_users(void)
{
	struct error e = ERROR_INIT;

	users_free(device.users);
	device.users = users_new(device.store, device.settings, device.audit,
				 device.password_file, &e);
	CHECK_OBJECT(device.users, &e);
	users_on_invalidate(device.users, end_sessions, NULL);
}

static void read_password(void)
{
	struct error e = ERROR_INIT;
	struct secret s = { 0 };

	CHECK_OK(secret_read_file(&s, device.password_file, 60, &e), &e);
	snprintf(device.password, sizeof(device.password), "%s", (char *)s.ptr);
	secret_free(&s);
}

void device_open(const char *dir)
{
	struct error e = ERROR_INIT;

	memset(&device, 0, sizeof(device));
	device.dir = dir;
	device.now = NOW;
	clock_set_offset(NOW - time(NULL));
	device.config = config_load("/dev/null", NULL, 0, &e);
	CHECK_OBJECT(device.config, &e);
	device.store = store_open(dir, &e);
	CHECK_OBJECT(device.store, &e);
	device.settings = settings_new(device.config, device.store, &e);
	CHECK_OBJECT(device.settings, &e);
	device.audit = audit_new(device.store, &e);
	CHECK_OBJECT(device.audit, &e);
	snprintf(device.password_file, sizeof(device.password_file),
		 "%s/secrets/admin-password", dir);
	open_users();
	read_password();
}

void device_close(void)
{
	users_free(device.users);
	audit_free(device.audit);
	settings_free(device.settings);
	store_close(device.store);
	config_free(device.config);
	clock_set_offset(0);
}

void device_make(void)
{
	device_open(unit_temp_dir());
}

struct user_row row_of(const char *id)
{
	struct error e = ERROR_INIT;
	struct user_row row = { 0 };

	CHECK_OK(store_user_get(device.store, id, &row, &e), &e);
	return row;
}

int try_login(enum login_door door, const char *id, const char *password,
	      struct error *e)
{
	struct identity_of_user out;

	return users_login(device.users, door, id, view_str(password),
			   "192.0.2.1", device.now, &out, e);
}

void add_user(const char *id, const char *password, enum privilege p)
{
	struct error e = ERROR_INIT;
	struct view v = view_str(password);
	bool no = false;
	struct user_change c = {
		.id = id, .password = &v, .privilege = &p, .force_change = &no
	};

	CHECK_OK(users_add(device.users, &c, device.now, &e), &e);
}
