/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "api/setting_call.h"
#include "config/setting_rules.h"
#include "config/trial.h"

/* Network > Services. Beside the plain list there is the form of the original,
 * one list for each Ethernet port and version of IP; this device has one
 * setting for all of them. */

enum { SERVICES_MAX = 32, PORTS_MAX = 2 };

static const struct setting_service *service_by_name(const char *name)
{
	const struct setting_service *s;

	for (size_t i = 0; (s = setting_service(i)); i++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

/* --- query --- */

static void describe(const struct call *c, const struct setting_service *row,
		     struct value *s)
{
	struct settings *settings = c->services->settings;
	bool wanted = settings_bool(settings, row->enabled);
	struct service_state state = { .listening = false };

	if (row->available)
		c->services->service_state(c->services->app, row->name, &state);
	else if (wanted)
		strcpy(state.problem, "this release does not have the service");
	value_put_string(s, "name", row->name);
	value_put_string(s, "label", setting_row(row->enabled)->label);
	value_put_string(s, "type", row->transport);
	value_put_boolean(s, "setting", wanted);
	value_put_int(s, "port", (int32_t)settings_int(settings, row->port));
	value_put_int(
	    s, "defaultPort",
	    (int32_t)strtol(settings_default(settings, row->port), NULL, 10));
	value_put_boolean(s, "enabled", state.listening);
	value_put_boolean(s, "available", row->available);
	value_put_string(s, "problem", wanted ? state.problem : "");
}

/* The form of the original, whose port stands there for an active service only.
 */
static void describe_port(const struct call *c, const char *protocol,
			  struct value *out)
{
	const struct setting_service *row;
	struct value *list;

	value_put_string(out, "port", "A");
	value_put_string(out, "protocol", protocol);
	list = value_put_array(out, "services");
	for (size_t i = 0; (row = setting_service(i)); i++) {
		struct service_state state = { .listening = false };
		struct value *s = value_add_struct(list);

		if (row->available)
			c->services->service_state(c->services->app, row->name,
						   &state);
		value_put_string(s, "name", row->name);
		value_put_string(s, "type", row->transport);
		value_put_boolean(
		    s, "setting",
		    settings_bool(c->services->settings, row->enabled));
		value_put_boolean(s, "enabled", state.listening);
		if (state.listening)
			value_put_int(s, "port", state.port);
	}
}

static bool has_address(const struct config *c, bool ipv6)
{
	for (size_t i = 0; i < c->address_count; i++)
		if ((strchr(c->addresses[i], ':') != NULL) == ipv6)
			return true;
	return false;
}

static struct value *query(struct call *c, struct error *e)
{
	struct value *s = value_new_struct();
	struct value *list = value_put_array(s, "services");
	struct value *ports = value_put_array(s, "ports");
	const struct setting_service *row;

	(void)e;
	for (size_t i = 0; (row = setting_service(i)); i++)
		describe(c, row, value_add_struct(list));
	if (has_address(c->services->config, false))
		describe_port(c, "IPv4", value_add_struct(ports));
	if (has_address(c->services->config, true))
		describe_port(c, "IPv6", value_add_struct(ports));
	return s;
}

/* --- modify --- */

/* The original's clients send the same service once for each Ethernet port and
 * version of IP: what is said twice must be the same. */
static int wish_once(struct setting_wishes *w, enum setting_id id,
		     const struct value *v, struct error *e)
{
	struct setting_wishes one = { .count = 0 };
	size_t i = 0;

	if (setting_wish(&one, id, v, e) < 0)
		return -1;
	while (i < w->count && w->changes[i].id != id)
		i++;
	if (i == w->count)
		return setting_wish(w, id, v, e);
	if (!strcmp(one.changes[0].value, w->changes[i].value))
		return 0;
	return error_set(e, ERR_INPUT,
			 "%s stands there with two values; this device has one "
			 "for all addresses",
			 setting_row(id)->name);
}

static int gather_service(const struct value *v, struct setting_wishes *w,
			  struct error *e)
{
	const char *name = value_string(value_member(v, "name"));
	const struct setting_service *row = service_by_name(name);
	const struct value *on = value_member(v, "setting");
	const struct value *port = value_member(v, "port");
	const char *type = value_string(value_member(v, "type"));

	if (!row || (*type && strcmp(type, row->transport) != 0))
		return error_set(e, ERR_INPUT,
				 "no service \"%s\"%s%s; there are http, "
				 "https, sip_tcp, sip_udp and sips_tcp",
				 name, *type ? " over " : "", type);
	if (on && wish_once(w, row->enabled, on, e) < 0)
		return -1;
	return port ? wish_once(w, row->port, port, e) : 0;
}

static int gather_list(const struct value *list, struct setting_wishes *w,
		       struct error *e)
{
	if (value_count(list) > SERVICES_MAX)
		return error_set(e, ERR_INPUT, "services: more than %d",
				 SERVICES_MAX);
	for (size_t i = 0; i < value_count(list); i++)
		if (gather_service(value_item(list, i), w, e) < 0)
			return -1;
	return 0;
}

static int gather(const struct call *c, struct setting_wishes *w,
		  struct error *e)
{
	const struct value *ports = value_member(c->params, "ports");

	w->count = 0;
	if (value_count(ports) > PORTS_MAX)
		return error_set(e, ERR_INPUT, "ports: more than %d",
				 PORTS_MAX);
	if (gather_list(value_member(c->params, "services"), w, e) < 0)
		return -1;
	for (size_t i = 0; i < value_count(ports); i++)
		if (gather_list(value_member(value_item(ports, i), "services"),
				w, e) < 0)
			return -1;
	if (w->count == 0)
		return error_set(e, ERR_INPUT, "no service is named");
	return 0;
}

static struct value *modify(struct call *c, struct error *e)
{
	struct setting_wishes w;

	if (gather(c, &w, e) < 0)
		return NULL;
	return setting_call_apply(c, &w, e);
}

/* --- rows --- */

static const struct param service_members[] = {
	{ .name = "name", .type = VALUE_STRING, .required = true },
	{ .name = "type", .type = VALUE_STRING, .choices = "tcp|udp" },
	{ .name = "setting",
	  .type = VALUE_BOOLEAN,
	  .help = "whether it shall be there" },
	{ .name = "port", .type = VALUE_INT, .least = 1, .most = 65535 },
	{ 0 },
};

static const struct param service_row = { .name = "service",
					  .type = VALUE_STRUCT,
					  .inside = service_members };

static const struct param port_members[] = {
	{ .name = "port", .type = VALUE_STRING, .choices = "A|B" },
	{ .name = "protocol", .type = VALUE_STRING, .choices = "IPv4|IPv6" },
	{ .name = "services",
	  .type = VALUE_ARRAY,
	  .required = true,
	  .inside = &service_row },
	{ 0 },
};

static const struct param port_row = { .name = "port",
				       .type = VALUE_STRUCT,
				       .inside = port_members };

static const struct param modify_rows[] = {
	{ .name = "services",
	  .type = VALUE_ARRAY,
	  .inside = &service_row,
	  .help = "those left out stay as they are" },
	{ .name = "ports",
	  .type = VALUE_ARRAY,
	  .inside = &port_row,
	  .help = "the form of the original, in place of services" },
	SETTING_CALL_ROWS,
	{ 0 },
};

const struct method methods_services[] = {
	{ "services.query", PRIVILEGE_ADMINISTRATOR, METHOD_WITHOUT_CSRF, NULL,
	  query,
	  "services array of struct (name, label, type string; setting "
	  "boolean; "
	  "port, defaultPort int; enabled boolean: listens now; available "
	  "boolean: this release has it; problem string); ports array, the "
	  "same in the form of the original",
	  "The network services: what is wanted and what is there." },
	{ "services.modify", PRIVILEGE_ADMINISTRATOR, METHOD_CHANGES,
	  modify_rows, modify, SETTING_CALL_RESULT,
	  "Switch services on and off and move them to other ports, in one "
	  "step. Two enabled services on one port, or a port that cannot be "
	  "opened: fault 42, and nothing has changed." },
	{ 0 },
};
