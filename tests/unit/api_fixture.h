/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_API_FIXTURE_H
#define SB_TESTS_UNIT_API_FIXTURE_H

#include "api/api.h"
#include "api/value.h"
#include "api/xmlrpc.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"
#include "tests/unit/control_fixture.h"

/* A whole device behind the API: real token, store, users, identity. */
struct api_device {
	struct test_token place;
	struct api_services services;
	struct api *api;
	struct config *config;
	struct control_fixture calls; /* with nobody to call */
	/* changes the token's options before it is opened, NULL: as they are */
	void (*alter_token)(struct token_options *o);
	char admin_password[64];
	/* what services.may_restart says */
	bool bad_config;
	/* what services.restart was asked for */
	unsigned restarts;
	enum restart_kind restart_kind;
	/* what services.service_state says of all */
	struct service_state service_state;
};

extern struct api_device device;

int api_device_open(void); /* a set-up of CUnit */
int api_device_close(void);

/* How the next calls are made; all zero: over HTTPS, by nobody. */
struct door {
	enum peer_via via;
	uid_t uid;
	gid_t gid;
	const char *address;    /* NULL: 192.0.2.1 */
	const char *session_id; /* the cookie */
	const char *csrf_token;
	const char *user, *password;                  /* members */
	const struct client_certificate *certificate; /* NULL: none */
	bool without_type;                            /* no Content-Type */
	bool plain;                                   /* over HTTP */
	int64_t opened_ms; /* when the connection was opened */
	enum tls_version tls_version;
};

/* What came back; given back with answer_free(). */
struct answer {
	struct xmlrpc_response response;
	char set_session[SESSION_ID_SIZE];
	bool clear_session, utf8, close;
};

/* The trusted control socket. */
extern const struct door door_local;

/* Takes params over; NULL: an empty struct. */
void call_by(const struct door *d, const char *method, struct value *params,
	     struct answer *out);
void call_raw(const struct door *d, struct view body, struct answer *out);
void answer_free(struct answer *a);

/* One call whose answer is only a fault code (0: none) and a piece of text. */
int fault_of(const struct door *d, const char *method, struct value *params,
	     const char *words);
/* A member of the result as text, "" without. */
const char *text_of(const struct answer *a, const char *name);

/* An account with that level and a session of it. */
void make_user(const char *id, enum privilege privilege);
void open_session(const char *id, enum privilege privilege, bool must_change,
		  char session_id[SESSION_ID_SIZE],
		  char csrf_token[SESSION_ID_SIZE]);
/* Records of the audit trail with that event and words in the detail. */
size_t count_audit(const char *event, const char *module, const char *user,
		   const char *words);

#endif
