/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/method.h"
#include "api/participant_value.h"
#include "base/utf8.h"

/* Participants, as the original names and numbers them. */

enum {
	NAME_CHARS = PARTICIPANT_TEXT_MAX - 1, /* callers' are URIs */
	ADDRESS_CHARS = PARTICIPANT_TEXT_MAX - 1,
	ID_CHARS = 63
};

/* --- who is meant --------------------------------------------------------- */

/* text: more than the words of the fault, or "". */
static int refuse(struct call *c, enum fault_code fault, struct error *e,
		  const char *text)
{
	char words[FAULT_TEXT_MAX];

	c->fault = fault;
	fault_with_code(fault, NULL, words);
	return error_set(e, ERR_INPUT, "%s", *text ? text : words);
}

/* A text that is there, without control characters, and not longer than the
 * room for it. */
static int read_text(struct call *c, const char *name, size_t room,
		     enum fault_code missing, const char **out, struct error *e)
{
	const char *text = value_string(value_member(c->params, name));

	*out = text;
	if (!*text)
		return refuse(c, missing, e, "");
	if (strlen(text) >= room)
		return error_set(e, ERR_INPUT, "%s: longer than %zu bytes",
				 name, room - 1);
	if (!utf8_is_plain(view_str(text)))
		return error_set(e, ERR_INPUT, "%s: with control characters",
				 name);
	return 0;
}

static int read_protocol(struct call *c, struct error *e)
{
	const struct value *v = value_member(c->params, "participantProtocol");

	if (!v || !strcmp(value_string(v), "sip"))
		return 0;
	return refuse(c, FAULT_UNSUPPORTED_PROTOCOL, e, value_string(v));
}

static int read_type(struct call *c, bool *ad_hoc, struct error *e)
{
	const struct value *v = value_member(c->params, "participantType");
	const char *text = v ? value_string(v) : participant_type_name(false);

	*ad_hoc = !strcmp(text, participant_type_name(true));
	if (*ad_hoc || !strcmp(text, participant_type_name(false)))
		return 0;
	return refuse(c, FAULT_UNSUPPORTED_PARTICIPANT_TYPE, e, text);
}

static int read_id(struct call *c, struct participant_id *out, struct error *e)
{
	if (read_text(c, "conferenceName", PARTICIPANT_WORD_MAX,
		      FAULT_NO_CONFERENCE_NAME, &out->conference, e) < 0 ||
	    read_text(c, "participantName", PARTICIPANT_TEXT_MAX,
		      FAULT_NO_PARTICIPANT_NAME, &out->name, e) < 0 ||
	    read_protocol(c, e) < 0)
		return -1;
	return read_type(c, &out->ad_hoc, e);
}

/* The fault of what the table has against it. */
static struct value *failed(struct call *c, const struct error *e)
{
	if (e->kind == ERR_EXISTS)
		c->fault = FAULT_DUPLICATE_PARTICIPANT;
	else if (e->kind == ERR_NOT_FOUND)
		c->fault = FAULT_NO_PARTICIPANT;
	else if (e->kind == ERR_LIMIT)
		c->fault = FAULT_TOO_MANY_PARTICIPANTS;
	return NULL;
}

/* --- adding --------------------------------------------------------------- */

static bool read_boolean(const struct call *c, const char *name, bool otherwise)
{
	const struct value *v = value_member(c->params, name);

	return v ? value_boolean(v) : otherwise;
}

static int read_transport(const struct call *c)
{
	const char *text =
	    value_string(value_member(c->params, "transportProtocol"));

	if (!strcmp(text, "udp"))
		return SIP_UDP;
	if (!strcmp(text, "tcp"))
		return SIP_TCP;
	return !strcmp(text, "tls") ? SIP_TLS : -1;
}

static int read_display_name(struct call *c, struct participant_row *row,
			     struct error *e)
{
	const char *text =
	    value_string(value_member(c->params, "displayNameOverrideValue"));

	row->display_override =
	    read_boolean(c, "displayNameOverrideStatus", false);
	if (strlen(text) >= sizeof(row->display_name) ||
	    !utf8_is_plain(view_str(text)))
		return error_set(e, ERR_INPUT,
				 "displayNameOverrideValue: too long, or with "
				 "control characters");
	snprintf(row->display_name, sizeof(row->display_name), "%s", text);
	return 0;
}

static int read_row(struct call *c, struct participant_row *row, bool *ad_hoc,
		    struct error *e)
{
	struct participant_id id;
	const char *address;

	memset(row, 0, sizeof(*row));
	if (read_id(c, &id, e) < 0 ||
	    read_text(c, "address", sizeof(row->address),
		      FAULT_NO_PARTICIPANT_ADDRESS, &address, e) < 0 ||
	    read_display_name(c, row, e) < 0)
		return -1;
	*ad_hoc = id.ad_hoc;
	row->use_registrar = read_boolean(c, "useSIPRegistrar", true);
	row->defer = read_boolean(c, "deferConnection", false);
	row->transport = read_transport(c);
	snprintf(row->conference, sizeof(row->conference), "%s", id.conference);
	snprintf(row->name, sizeof(row->name), "%s", id.name);
	snprintf(row->address, sizeof(row->address), "%s", address);
	if (*ad_hoc && row->defer)
		return refuse(c, FAULT_MISMATCHED_PARAMETERS, e,
			      "deferConnection needs the type by_address");
	return 0;
}

static struct value *add_row(struct call *c, const struct participant_row *row,
			     bool ad_hoc, struct error *e)
{
	struct participant_view *v = calloc(1, sizeof(*v));
	struct value *s = NULL;

	if (!v) {
		error_nomem(e);
		return NULL;
	}
	if (participants_add(c->services->participants, row, ad_hoc, v, e) <
	    0) {
		failed(c, e);
	} else {
		call_audit(c, AUDIT(PARTICIPANT_ADDED,
				    .conference = row->conference,
				    .participant = row->name,
				    .type = participant_type_name(ad_hoc),
				    .address = row->address));
		s = result_ok();
		if (read_boolean(c, "addResponse", false))
			participant_put(value_put_struct(s, "participant"), v,
					SCOPE_FLAT);
	}
	free(v);
	return s;
}

static struct value *add(struct call *c, struct error *e)
{
	struct participant_row row;
	bool ad_hoc;

	if (read_row(c, &row, &ad_hoc, e) < 0)
		return NULL;
	return add_row(c, &row, ad_hoc, e);
}

/* --- the other changes ---------------------------------------------------- */

static struct value *call_up(struct call *c, struct error *e)
{
	struct participant_id id;

	if (read_id(c, &id, e) < 0)
		return NULL;
	if (participants_connect(c->services->participants, &id, e) < 0)
		return failed(c, e);
	call_audit(c, AUDIT(PARTICIPANT_CALLED, .conference = id.conference,
			    .participant = id.name,
			    .type = participant_type_name(id.ad_hoc)));
	return result_ok();
}

static struct value *hang_up(struct call *c, struct error *e)
{
	struct participant_id id;

	if (read_id(c, &id, e) < 0)
		return NULL;
	if (participants_disconnect(c->services->participants, &id, e) < 0)
		return failed(c, e);
	call_audit(c, AUDIT(PARTICIPANT_DISCONNECTED,
			    .conference = id.conference, .participant = id.name,
			    .type = participant_type_name(id.ad_hoc)));
	return result_ok();
}

static struct value *remove_one(struct call *c, struct error *e)
{
	struct participant_id id;

	if (read_id(c, &id, e) < 0)
		return NULL;
	if (participants_remove(c->services->participants, &id, e) < 0)
		return failed(c, e);
	call_audit(c, AUDIT(PARTICIPANT_REMOVED, .conference = id.conference,
			    .participant = id.name,
			    .type = participant_type_name(id.ad_hoc)));
	return result_ok();
}

/* --- looking -------------------------------------------------------------- */

/* An empty array is as good as none. */
static int read_scope(struct call *c, unsigned *out, struct error *e)
{
	const struct value *v = value_member(c->params, "operationScope");

	*out = SCOPE_FLAT;
	for (size_t i = 0; i < value_count(v); i++)
		*out |= !strcmp(value_string(value_item(v, i)), "currentState")
			    ? SCOPE_CURRENT
			    : SCOPE_CONFIGURED;
	if (!v || *out != SCOPE_FLAT)
		return 0;
	return error_set(e, ERR_INPUT, "operationScope: it names nothing");
}

static struct value *status(struct call *c, struct error *e)
{
	struct participant_view *v;
	struct participant_id id;
	struct value *s = NULL;
	unsigned scope;

	if (read_id(c, &id, e) < 0 || read_scope(c, &scope, e) < 0)
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v) {
		error_nomem(e);
	} else if (participants_find(c->services->participants, &id, v, e) <
		   0) {
		failed(c, e);
	} else {
		s = value_new_struct();
		participant_put(s, v, scope);
	}
	free(v);
	return s;
}

static struct value *put_batch(const struct participants_batch *b,
			       unsigned scope)
{
	struct value *s = value_new_struct(), *list;

	if (b->enumerate_id[0])
		value_put_string(s, "enumerateID", b->enumerate_id);
	value_put_int(s, "currentRevision", b->revision);
	value_put_boolean(s, "listAll", b->all);
	list = value_put_array(s, "participants");
	for (size_t i = 0; i < b->count; i++)
		participant_put(value_add_struct(list), &b->views[i], scope);
	return s;
}

static struct value *enumerate(struct call *c, struct error *e)
{
	const struct value *revision = value_member(c->params, "lastRevision");
	struct participants_query q = {
		.enumerate_id =
		    value_string(value_member(c->params, "enumerateID")),
		.last_revision =
		    read_boolean(c, "listAll", false) ? 0 : value_int(revision),
		.filter =
		    value_string(value_member(c->params, "enumerateFilter")),
	};
	struct participants_batch *b;
	struct value *s = NULL;
	unsigned scope;

	if (read_scope(c, &scope, e) < 0)
		return NULL;
	q.configured_only = scope == SCOPE_CONFIGURED;
	b = malloc(sizeof(*b));
	if (!b)
		error_nomem(e);
	else if (participants_enumerate(c->services->participants, &q, b, e) ==
		 0)
		s = put_batch(b, scope);
	else if (e->kind == ERR_NOT_FOUND)
		c->fault = FAULT_INVALID_ENUMERATE_ID;
	free(b);
	return s;
}

/* --- the rows ------------------------------------------------------------- */

static const struct param scope_row = { .name = "scope",
					.type = VALUE_STRING,
					.choices =
					    "currentState|configuredState" };

#define ID_ROWS                                                               \
	{ .name = "conferenceName",                                           \
	  .type = VALUE_STRING,                                               \
	  .help = "Any name: a conference is there with who is in it." },     \
	    { .name = "participantName",                                      \
	      .type = VALUE_STRING,                                           \
	      .chars = NAME_CHARS,                                            \
	      .help = "Unique, with protocol and type, in its conference." }, \
	    { .name = "participantProtocol",                                  \
	      .type = VALUE_STRING,                                           \
	      .help = "sip, which is the default." },                         \
	{                                                                     \
		.name = "participantType", .type = VALUE_STRING,              \
		.help =                                                       \
		    "by_address (default): configured, and kept until it is " \
		    "removed. ad_hoc: called once, or has called us."         \
	}

#define SCOPE_HELP "Which structs are given: currentState, configuredState."

static const struct param add_rows[] = {
	ID_ROWS,
	{ .name = "address",
	  .type = VALUE_STRING,
	  .chars = ADDRESS_CHARS,
	  .help = "Whom to call: a SIP URI, a number, a host name or an IP "
		  "address." },
	{ .name = "useSIPRegistrar",
	  .type = VALUE_BOOLEAN,
	  .help = "By trunk or registrar, where the settings name one; default "
		  "true." },
	{ .name = "transportProtocol",
	  .type = VALUE_STRING,
	  .choices = "default|tcp|udp|tls" },
	{ .name = "deferConnection",
	  .type = VALUE_BOOLEAN,
	  .help = "Wait for participant.connect; default false." },
	{ .name = "displayNameOverrideStatus", .type = VALUE_BOOLEAN },
	{ .name = "displayNameOverrideValue", .type = VALUE_STRING },
	{ .name = "addResponse",
	  .type = VALUE_BOOLEAN,
	  .help = "Give the participant back; default false." },
	{ 0 },
};

static const struct param id_rows[] = { ID_ROWS, { 0 } };

static const struct param status_rows[] = {
	ID_ROWS,
	{ .name = "operationScope",
	  .type = VALUE_ARRAY,
	  .inside = &scope_row,
	  .help = SCOPE_HELP " Without it the members of both stand beside "
			     "the names." },
	{ 0 },
};

static const struct param enumerate_rows[] = {
	{ .name = "operationScope",
	  .type = VALUE_ARRAY,
	  .required = true,
	  .inside = &scope_row,
	  .help = SCOPE_HELP },
	{ .name = "enumerateID",
	  .type = VALUE_STRING,
	  .chars = ID_CHARS,
	  .help = "As the batch before gave it." },
	{ .name = "lastRevision",
	  .type = VALUE_INT,
	  .help =
	      "Only what has changed since that currentRevision (that of "
	      "the first batch), and dead for who is gone since. All, as "
	      "without it, where not everything since then is known here." },
	{ .name = "listAll",
	  .type = VALUE_BOOLEAN,
	  .help = "All, whatever lastRevision says; default false." },
	{ .name = "enumerateFilter",
	  .type = VALUE_STRING,
	  .chars = FILTER_CHARS_MAX,
	  .help = "An expression of connected, disconnected, numbers, "
		  "brackets and the operators of C: !connected." },
	{ 0 },
};

#define PARTICIPANT_RESULT                                                \
	"conferenceName, participantName, participantProtocol, "          \
	"participantType; currentState: address, callState (dormant, "    \
	"alerting, connected, disconnected), displayName (connected), "   \
	"connectTime, disconnectTime, disconnectReason, disconnectText, " \
	"mediaEncryption, callId; configuredState: address, "             \
	"useSIPRegistrar, transportProtocol, deferConnection, "           \
	"displayNameOverrideStatus, displayNameOverrideValue"

const struct method methods_participant[] = {
	{ "participant.add", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES, add_rows,
	  add,
	  "status string; with addResponse: participant struct as "
	  "participant.status gives it without operationScope",
	  "Add somebody to a conference, and call. Who is added by_address "
	  "(500 "
	  "at most) stays until removed, also over a restart, after which "
	  "nobody is called by itself; of those called ad_hoc the last 32 "
	  "that ended can still be looked at." },
	{ "participant.connect", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  id_rows, call_up, NULL, "Call a participant that has no call." },
	{ "participant.disconnect", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  id_rows, hang_up, NULL, "End the call of a participant." },
	{ "participant.remove", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  id_rows, remove_one, NULL,
	  "Remove a participant; its call, if there is one, is ended." },
	{ "participant.status", PRIVILEGE_ADMINISTRATOR,
	  METHOD_WITHOUT_CSRF | METHOD_WITHOUT_TOUCH, status_rows, status,
	  PARTICIPANT_RESULT, "What is known of one participant." },
	{ "participant.enumerate", PRIVILEGE_ADMINISTRATOR,
	  METHOD_WITHOUT_CSRF | METHOD_WITHOUT_TOUCH, enumerate_rows, enumerate,
	  "enumerateID string, if there is more; currentRevision int; listAll "
	  "boolean: who is in none of the batches is gone; participants array "
	  "of " PARTICIPANT_RESULT
	  "; of who is gone since lastRevision only the names, and dead true",
	  "All participants, at most 50 at a time. Who calls us is listed in "
	  "the conference Echo while connected." },
	{ 0 },
};
