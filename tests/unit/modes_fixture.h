/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_MODES_FIXTURE_H
#define SB_TESTS_UNIT_MODES_FIXTURE_H

#include "auth/certificate_mode.h"
#include "tests/unit/api_fixture.h"

/* Callers with and without certificates, in every mode. */

#define RIGHT "Right pass 1"

/* Whose certificate a connection brings. */
enum bearer { NONE, STRANGER, ANN, DISABLED, UNNAMED, EXPIRED, BEARERS };

struct client_certificate certificate_of(const char *name, uint8_t mark);
struct client_certificate certificate(enum bearer b);

void set(enum setting_id id, const char *value);
void set_mode(enum certificate_mode mode);
void modify(const char *id, const struct user_change *c);
void set_disabled(const char *id, bool disabled);
/* As before each test: Not required, nothing asked at the console; ann, bob
 * and shut (disabled) are administrators, low is none. */
void reset(void);

enum doorway { HTTP, HTTPS, LOCAL, LOCAL_LOGIN, DOORWAYS };
enum members { NO_MEMBERS, RIGHT_MEMBERS, WRONG_MEMBERS, MEMBERS };

/* Sets console.requireLogin, too. */
struct door door_for(enum doorway way, enum members members,
		     const struct client_certificate *c);

/* What each mode lets callers do. Each cell: without members, with right ones
 * (bob's), with wrong ones; a: in as ann by certificate, b: as bob by password,
 * l: the local administrator, -: refused. */
struct call_row {
	enum certificate_mode mode;
	enum doorway way;
	const char *cells[BEARERS];
};

enum { CALL_ROWS = CERTIFICATE_MODE_COUNT * DOORWAYS };
extern const struct call_row call_rows[CALL_ROWS];

/* Ask for one cell with each of the members. */
void check_row(const struct call_row *row, enum bearer b,
	       char (*who_of)(const struct door *d));

#endif
