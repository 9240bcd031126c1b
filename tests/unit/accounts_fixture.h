/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_ACCOUNTS_FIXTURE_H
#define SB_TESTS_UNIT_ACCOUNTS_FIXTURE_H

#include "auth/users.h"
#include "tests/lib/unit.h"

/* Accounts on a store of their own. It is NOW until a test moves the clock. */

enum { NOW = 1800000000 };

struct accounts_device {
	const char *dir;
	char password_file[300];
	char password[64]; /* of admin */
	struct config *config;
	struct store *store;
	struct settings *settings;
	struct audit *audit;
	struct users *users;
	time_t now;
	/* ids whose sessions were told to end, each with a blank behind it */
	char ended[1024];
};

extern struct accounts_device device;

void device_open(const char *dir);
void device_close(void);
/* One with the built-in accounts only. */
void device_make(void);
/* Makes users anew: also forgets the delays after failures, which have tests of
 * their own. */
void open_users(void);

struct user_row row_of(const char *id);
void add_user(const char *id, const char *password, enum privilege p);
/* From 192.0.2.1, now. */
int try_login(enum login_door door, const char *id, const char *password,
	      struct error *e);

#endif
