/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_API_METHOD_H
#define SB_API_METHOD_H

#include "api/api.h"
#include "api/faults.h"
#include "api/value.h"
#include "auth/certificate_mode.h"

/* What a method is: one row, from which the check of rights, the checks of
 * parameters and the introspection follow, and one handler. */

enum {
	PARAM_CHARS_MAX = 31, /* characters of a string whose row is silent */
	PEM_CHARS_MAX = 3 * 1024 * 1024,
	SECRET_CHARS_MAX = 255, /* an offered password or passphrase */
};

struct param {
	const char *name;
	enum value_type type;
	bool required;
	unsigned chars;      /* VALUE_STRING: most characters, 0 = 31 */
	int32_t least, most; /* VALUE_INT: range, when they differ */
	const char *choices; /* VALUE_STRING: "rsa2048|ecP256" */
	/* VALUE_STRUCT: its members, up to an empty row; VALUE_ARRAY: the row
	 * of each element; NULL: anything */
	const struct param *inside;
	const char *help;
};

enum caller_via {
	VIA_NOBODY,
	VIA_PASSWORD,    /* in the call */
	VIA_CERTIFICATE, /* of the connection, without a session */
	VIA_SESSION,
	VIA_LOCAL
};

/* Who calls. */
struct caller {
	enum caller_via via;
	struct identity_of_user user;
	struct session_info session; /* VIA_SESSION */
};

/* What its connection lets a caller do. */
struct entry {
	enum certificate_mode mode;
	enum certificate_door door;
	bool open;    /* the control socket, which asks for no log-in */
	bool expired; /* the certificate, since the connection was made */
	struct certificate_user found;       /* from CERTIFICATE_VERIFY on */
	const struct certificate_rule *rule; /* unless open */
};

/* One call on its way. */
struct call {
	const struct api_services *services;
	const struct web_request *request;
	struct web_reply *reply;
	const struct method *method;
	const struct value *params; /* a struct, checked against the row */
	bool bare;                  /* the call itself had no struct */
	struct entry entry;
	struct caller caller;
	bool failure_told; /* by a handler: in a record of its own */
	/* By a handler that fails: goes before the error's kind; 0: none. */
	enum fault_code fault;
	/* Set by a handler: carried out once the reply is written. */
	bool restart_wanted;
	/* Why a record of what was done could not be written. */
	struct error *unrecorded;
	enum restart_kind restart_kind;
};

/* The result, the caller's to free, or NULL with *e. */
typedef struct value *method_fn(struct call *c, struct error *e);

enum method_flags {
	/* A session needs no X-CSRF-Token: changes nothing, and another site
	 * cannot read the reply. */
	METHOD_WITHOUT_CSRF = 1,
	/* Open to whoever must change his password first. */
	METHOD_BEFORE_PASSWORD_CHANGE = 2,
	/* Takes one bare string in place of the struct, and no parameter at
	 * all, as the introspection convention has it. */
	METHOD_TAKES_BARE = 4,
	/* Does not restart the idle time of a session. */
	METHOD_WITHOUT_TOUCH = 8,
	/* Answers also where the mode of client certificates lets nobody in. */
	METHOD_ANY_DOOR = 16,
	/* For root on the control socket and nobody else; no setting stops
	 * him. */
	METHOD_LOCAL_ROOT = 32,
	/* Changes something and leaves a record of it: not done where the
	 * record could not be written. Log-in and log-out, which leave records
	 * too, take these from the reserve: somebody must get in to mend that.
	 */
	METHOD_CHANGES = 64,
	/* Done on a full disk as well: makes room, or cannot be refused. */
	METHOD_WITHOUT_ROOM = 128,
};

struct method {
	const char *name;
	enum privilege privilege;   /* the least; NONE: nobody is asked */
	unsigned flags;             /* of enum method_flags */
	const struct param *params; /* up to an empty row; NULL: none */
	method_fn *handle;
	const char *result; /* members of the reply, NULL: status */
	const char *help;
};

/* Row of that name in all areas, NULL without. */
const struct method *method_find(const char *name);
/* Rows one after the other, NULL past the end. */
const struct method *method_at(size_t i);

/* "conference list only" is the least that any account has. */
#define PRIVILEGE_ANY_USER PRIVILEGE_CONFERENCE_LIST

/* The areas. */
extern const struct method methods_system[];
extern const struct method methods_session[];
extern const struct method methods_device[];
extern const struct method methods_certificate[];
extern const struct method methods_token[];
extern const struct method methods_trust[];
extern const struct method methods_user[];
extern const struct method methods_warnings[];
extern const struct method methods_audit[];
extern const struct method methods_events[];
extern const struct method methods_verification_test[];
extern const struct method methods_settings[];
extern const struct method methods_change[];
extern const struct method methods_services[];
extern const struct method methods_syslog[];
extern const struct method methods_cdr[];
extern const struct method methods_participant[];
extern const struct method methods_calls[];
extern const struct method methods_sip[];

/* The services of an api. */
const struct api_services *api_services_of(const struct api *a);

/* One call of a batch, as the batch's caller: rights and parameters are checked
 * as if it stood alone. out, a struct, gets result, or faultCode and
 * faultString. params NULL: none. */
void call_inside(struct call *batch, const char *method,
		 const struct value *params, struct value *out);

/* For handlers: { status: "operation successful" }. */
struct value *result_ok(void);
/* A trust store as it is in force, to be given back. NULL: never read since the
 * start (ERR_TOKEN, the text says why). */
struct trust_snapshot *call_trust_snapshot(const struct call *c,
					   enum trust_store_id id,
					   struct error *e) MUST_CHECK;
/* How a caller is known: "password", "certificate", "session", "local" or "".
 */
const char *caller_via_name(const struct caller *c);
/* One audit record of what the caller did: call_audit(c, AUDIT(...)). */
void call_audit(const struct call *c, struct audit_what what);

#endif
