/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/authenticate.h"
#include "api/method.h"
#include "api/params.h"
#include "api/watch_warnings.h"
#include "api/xmlrpc.h"
#include "base/log.h"

struct api {
	struct api_services services;
};

/* How a call ended. */
struct outcome {
	struct value *result; /* NULL: a fault */
	enum fault_code code; /* when not 0, goes before the error's kind */
	struct error e;
	struct error unrecorded; /* ERR_NONE: every record was written */
};

struct api *api_new(const struct api_services *services, struct error *e)
{
	struct api *a = calloc(1, sizeof(*a));

	if (!a) {
		error_nomem(e);
		return NULL;
	}
	a->services = *services;
	a->services.warnings = security_warnings_new(e);
	if (!a->services.warnings) {
		free(a);
		return NULL;
	}
	warnings_begin(&a->services);
	return a;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	security_warnings_free(a->services.warnings);
	free(a);
}

const struct api_services *api_services_of(const struct api *a)
{
	return &a->services;
}

struct value *result_ok(void)
{
	struct value *s = value_new_struct();

	value_put_string(s, "status", "operation successful");
	return s;
}

const char *caller_via_name(const struct caller *c)
{
	static const char *const names[] = {
		[VIA_NOBODY] = "",
		[VIA_PASSWORD] = "password",
		[VIA_CERTIFICATE] = "certificate",
		[VIA_SESSION] = "session",
		[VIA_LOCAL] = "local",
	};

	return names[c->via];
}

void call_audit(const struct call *c, struct audit_what what)
{
	static const char *const modules[] = {
		[VIA_NOBODY] = "API",      [VIA_PASSWORD] = "API",
		[VIA_CERTIFICATE] = "API", [VIA_SESSION] = "Web",
		[VIA_LOCAL] = "System",
	};
	const struct audit_actor actor = {
		.module = modules[c->caller.via],
		.user_name = c->caller.user.id,
		.peer = c->request->peer.address,
		.via = caller_via_name(&c->caller),
	};
	struct error e = ERROR_INIT;

	/* Counted and logged there; the caller hears of it in place of the
	 * result. */
	if (audit_append(c->services->audit, what, &actor, &e) < 0 &&
	    c->unrecorded->kind == ERR_NONE)
		*c->unrecorded = e;
}

/* One struct; none counts as an empty one; a bare string becomes the first
 * parameter of a method that takes it so. *bare_out is the caller's to free. */
static int find_params(struct call *c, const struct value *params,
		       struct value **bare_out, enum fault_code *code,
		       struct error *e)
{
	const struct value *first = value_item(params, 0);

	if (value_count(params) == 1 && value_is(first, VALUE_STRUCT)) {
		c->params = first;
		return 0;
	}
	c->bare = true;
	*bare_out = value_new_struct();
	c->params = *bare_out;
	if (value_count(params) == 0)
		return *bare_out ? 0 : error_nomem(e);
	if (value_count(params) == 1 && value_is(first, VALUE_STRING) &&
	    (c->method->flags & METHOD_TAKES_BARE) && c->method->params) {
		value_put_string(*bare_out, c->method->params[0].name,
				 value_string(first));
		return value_complete(*bare_out) ? 0 : error_nomem(e);
	}
	*code = FAULT_MALFORMED_PARAMETER;
	return error_set(e, ERR_INPUT, "a call has one struct");
}

static int deny(const struct call *c, const char *why, struct error *e)
{
	call_audit(
	    c, AUDIT(ACCESS_DENIED, .method = c->method->name, .reason = why));
	return error_set(e, ERR_PRIVILEGE, "%s", why);
}

/* Whether the caller may call this method at all. */
static int check_rights(const struct call *c, struct error *e)
{
	const struct method *m = c->method;

	if (c->caller.via == VIA_NOBODY)
		return error_set(e, ERR_AUTH, "authorization failed");
	if (c->caller.user.must_change_password &&
	    !(m->flags & METHOD_BEFORE_PASSWORD_CHANGE))
		return deny(c, "the password must be changed first", e);
	if (c->caller.user.privilege >= m->privilege &&
	    (!(m->flags & METHOD_LOCAL_ROOT) ||
	     control_peer_is_root(&c->request->peer)))
		return 0;
	return deny(c, "insufficient privileges", e);
}

/* Who calls, and whether he may. What is open to all needs no identity, but a
 * connection that the mode of client certificates lets in. */
static int admit(struct call *c, enum fault_code *code, struct error *e)
{
	const struct entry *entry = &c->entry;

	if (entry_find(c, e) < 0)
		return -1;
	if (c->method->privilege != PRIVILEGE_NONE)
		return authenticate(c, code, e) < 0 ? -1 : check_rights(c, e);
	if (entry->rule->way == LOGIN_REFUSED && entry->door != DOOR_LOCAL &&
	    !(c->method->flags & METHOD_ANY_DOOR))
		return entry_refuse(c, LOGIN_API, e);
	return 0;
}

static void trace_unknown_members(const struct call *c)
{
	for (size_t i = 0; i < value_count(c->params); i++) {
		const char *name = value_item_name(c->params, i);
		const struct param *row = c->method->params;

		while (row && row->name && strcmp(row->name, name) != 0)
			row++;
		if ((!row || !row->name) &&
		    strncmp(name, "authentication", 14) != 0)
			log_trace("api", "%s: member %s is not known",
				  c->method->name, name);
	}
}

/* Before anything is done: a change whose record may find no room is none. */
static int check_room(const struct call *c, struct error *e)
{
	unsigned flags = c->method->flags;

	if (!(flags & METHOD_CHANGES) || (flags & METHOD_WITHOUT_ROOM))
		return 0;
	return audit_ready(c->services->audit, e);
}

/* What was done is in force, but nobody is told that all is well. */
static void refuse_unrecorded(struct outcome *o)
{
	if (!o->result || o->unrecorded.kind == ERR_NONE)
		return;
	value_free(o->result);
	o->result = NULL;
	o->e = o->unrecorded;
	error_prefix(&o->e, "it is done and in force, but could not be "
			    "recorded");
}

static void carry_out(struct call *c, struct outcome *o)
{
	if (params_check(c->method->params, c->params, &o->code, &o->e) < 0)
		return;
	o->result = c->method->handle(c, &o->e);
	if (!o->result)
		o->code = c->fault;
	if (o->result && !value_complete(o->result)) {
		value_free(o->result);
		o->result = NULL;
		error_nomem(&o->e);
	}
}

/* But what polls: who looks at the log all the time would fill it. */
static void trace_call(const struct call *c)
{
	const char *user = c->caller.user.id;

	if (!(c->method->flags & METHOD_WITHOUT_TOUCH))
		log_trace("api", "%s by %s from %s", c->method->name,
			  user[0] ? user : "nobody", c->request->peer.address);
}

/* The caller is known. Wrong passwords (ERR_AUTH) have records of their own. */
static void handle(struct call *c, struct outcome *o)
{
	if (log_level() >= LOG_LEVEL_TRACE) {
		trace_call(c);
		trace_unknown_members(c);
	}
	if (check_room(c, &o->e) < 0)
		return;
	carry_out(c, o);
	if (o->result)
		warnings_after_call(c);
	else if ((c->method->flags & METHOD_CHANGES) && !c->failure_told &&
		 o->e.kind != ERR_AUTH)
		call_audit(c, AUDIT(CHANGE_REFUSED, .method = c->method->name,
				    .reason = o->e.text));
	refuse_unrecorded(o);
}

static void run(struct call *c, const struct value *params, struct outcome *o)
{
	struct value *bare = NULL;

	if (find_params(c, params, &bare, &o->code, &o->e) == 0 &&
	    admit(c, &o->code, &o->e) == 0)
		handle(c, o);
	value_free(bare);
}

/* The charset parameter of a Content-Type, "" without. */
static void find_charset(const char *type, char *out, size_t size)
{
	const char *p = type ? strcasestr(type, "charset=") : NULL;
	size_t n = 0;

	for (p = p ? p + strlen("charset=") : ""; *p && n + 1 < size; p++)
		if (*p == ';' || *p == ' ')
			break;
		else if (*p != '"')
			out[n++] = *p;
	out[n] = '\0';
}

static int parse(const struct web_request *rq, struct xmlrpc_call *xml,
		 struct outcome *o)
{
	char charset[32];

	find_charset(rq->content_type, charset, sizeof(charset));
	if (xmlrpc_parse_call(rq->body, charset[0] ? charset : NULL, xml,
			      &o->e) == 0)
		return 0;
	if (o->e.kind == ERR_LIMIT)
		o->code = FAULT_REQUEST_TOO_LARGE;
	else if (o->e.kind == ERR_INPUT)
		o->code = FAULT_MALFORMED_PARAMETER;
	return -1;
}

/* What the caller did wrong is his to know; what the service could not do is
 * ours to see. */
static void log_fault(const struct call *c, const struct error *e)
{
	bool ours = e->kind == ERR_INTERNAL || e->kind == ERR_NOMEM ||
		    e->kind == ERR_IO || e->kind == ERR_FULL ||
		    e->kind == ERR_TOKEN;
	struct error copy = *e;

	error_prefix(&copy, "%s", c->method ? c->method->name : "call");
	log_failure(ours ? LOG_LEVEL_WARNING : LOG_LEVEL_TRACE, "api", &copy);
}

static int32_t fault_of(const struct call *c, const struct outcome *o,
			char text[FAULT_TEXT_MAX])
{
	log_fault(c, &o->e);
	return o->code ? fault_with_code(o->code, o->e.text, text)
		       : fault_of_error(&o->e, text);
}

static int write_outcome(const struct call *c, const struct outcome *o,
			 struct error *e)
{
	struct web_reply *reply = c->reply;
	char text[FAULT_TEXT_MAX];
	int32_t code;

	if (o->result)
		return xmlrpc_write_response(&reply->body, o->result,
					     reply->utf8, e);
	code = fault_of(c, o, text);
	return xmlrpc_write_fault(&reply->body, code, text, reply->utf8, e);
}

/* What is open to all is not for an identity, and a batch in a batch would have
 * no end. */
static int check_inside(struct call *c, const struct call *batch,
			const char *method, struct outcome *o)
{
	c->method = method_find(method);
	if (!c->method) {
		o->code = FAULT_METHOD_NOT_SUPPORTED;
		return error_set(&o->e, ERR_INPUT, "%s", method);
	}
	if (c->method == batch->method ||
	    c->method->privilege == PRIVILEGE_NONE)
		return error_set(&o->e, ERR_INPUT, "%s cannot be in a batch",
				 method);
	return check_rights(c, &o->e);
}

void call_inside(struct call *batch, const char *method,
		 const struct value *params, struct value *out)
{
	struct outcome o = { .e = ERROR_INIT, .unrecorded = ERROR_INIT };
	struct value *none = params ? NULL : value_new_struct();
	struct call c = *batch;
	char text[FAULT_TEXT_MAX];

	c.params = params ? params : none;
	c.unrecorded = &o.unrecorded;
	c.bare = false;
	c.fault = 0;
	if (check_inside(&c, batch, method, &o) == 0)
		handle(&c, &o);
	if (o.result) {
		value_put(out, "result", o.result);
	} else {
		value_put_int(out, "faultCode", fault_of(&c, &o, text));
		value_put_string(out, "faultString", text);
	}
	batch->restart_wanted |= c.restart_wanted;
	batch->restart_kind = c.restart_kind;
	value_free(none);
}

int api_handle(void *arg, const struct web_request *rq, struct web_reply *reply,
	       struct error *e)
{
	struct api *a = arg;
	struct outcome o = { .e = ERROR_INIT, .unrecorded = ERROR_INIT };
	struct call c = {
		.services = &a->services,
		.request = rq,
		.reply = reply,
		.unrecorded = &o.unrecorded,
	};
	struct xmlrpc_call xml;
	int rc;

	reply->utf8 = rq->wants_utf8;
	if (parse(rq, &xml, &o) == 0) {
		reply->utf8 |= xml.declares_utf8;
		c.method = method_find(xml.method);
		if (c.method) {
			run(&c, xml.params, &o);
		} else {
			o.code = FAULT_METHOD_NOT_SUPPORTED;
			error_set(&o.e, ERR_INPUT, "%s", xml.method);
		}
		xmlrpc_call_free(&xml);
	}
	rc = write_outcome(&c, &o, e);
	value_free(o.result);
	if (rc == 0 && c.restart_wanted)
		a->services.restart(a->services.app, c.restart_kind);
	return rc;
}
