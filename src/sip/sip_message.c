/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_check.h"

enum {
	/* Of a request that goes as a datagram (RFC 3261 18.1.1), less what the
	 * Via takes that is added later. */
	DATAGRAM_MAX = 1300 - 150
};

/* The library wants names that it could write to. */
static char tag[] = "tag", branch[] = "branch";

static int failed(int rc, struct error *e)
{
	if (rc == OSIP_NOMEM)
		return error_nomem(e);
	return error_set(e, ERR_INPUT, "a message could not be built (%d)", rc);
}

static const char *parameter(osip_list_t *list, char *name)
{
	osip_generic_param_t *p = NULL;

	osip_generic_param_get_byname(list, name, &p);
	return p && p->gvalue ? p->gvalue : "";
}

const char *sip_message_from_tag(const struct osip_message *m)
{
	return m->from ? parameter(&m->from->gen_params, tag) : "";
}

const char *sip_message_to_tag(const struct osip_message *m)
{
	return m->to ? parameter(&m->to->gen_params, tag) : "";
}

uint32_t sip_seconds(const char *text, uint32_t most)
{
	size_t n;
	uint64_t value;

	if (!text)
		return 0;
	text += strspn(text, " \t");
	n = strspn(text, "0123456789");
	if (n == 0 || n > 10 || (text[n] && !strchr(" \t;(", text[n])))
		return 0;
	value = strtoull(text, NULL, 10);
	return value > most ? most : (uint32_t)value;
}

uint32_t sip_message_seconds(const struct osip_message *m, const char *name,
			     uint32_t most)
{
	osip_header_t *h = NULL;

	osip_message_header_get_byname(m, name, 0, &h);
	return sip_seconds(h ? h->hvalue : NULL, most);
}

const char *sip_message_branch(const struct osip_message *m)
{
	osip_via_t *via = osip_list_get(&m->vias, 0);

	return via ? parameter(&via->via_params, branch) : "";
}

/* --- answers */

static int copy_dialog(const osip_message_t *from, osip_message_t *to)
{
	int rc;

	if ((rc = osip_from_clone(from->from, &to->from)) != 0 ||
	    (rc = osip_to_clone(from->to, &to->to)) != 0 ||
	    (rc = osip_call_id_clone(from->call_id, &to->call_id)) != 0 ||
	    (rc = osip_cseq_clone(from->cseq, &to->cseq)) != 0)
		return rc;
	return 0;
}

static int copy_list(const osip_list_t *from, osip_list_t *to, size_t most,
		     int (*clone)(void *, void **))
{
	for (size_t i = 0; i < most; i++) {
		void *in = osip_list_get(from, (int)i), *out;
		int rc;

		if (!in)
			return 0;
		if ((rc = clone(in, &out)) != 0)
			return rc;
		if ((rc = osip_list_add(to, out, -1)) < 0)
			return rc;
	}
	return 0;
}

static int clone_via(void *in, void **out)
{
	return osip_via_clone(in, (osip_via_t **)out);
}

static int clone_route(void *in, void **out)
{
	return osip_record_route_clone(in, (osip_record_route_t **)out);
}

static int copy_timestamp(const osip_message_t *from, osip_message_t *to)
{
	osip_header_t *stamp = NULL;

	osip_message_header_get_byname(from, "timestamp", 0, &stamp);
	if (!stamp || !stamp->hvalue)
		return 0;
	return osip_message_set_header(to, "Timestamp", stamp->hvalue);
}

static int set_line(osip_message_t *m, unsigned status, const char *reason)
{
	if (!reason)
		reason = sip_reason(status);
	m->status_code = (int)status;
	m->sip_version = osip_strdup("SIP/2.0");
	m->reason_phrase = osip_strdup(reason ? reason : "Unknown");
	return m->sip_version && m->reason_phrase ? 0 : OSIP_NOMEM;
}

static int set_tag(osip_message_t *m, const char *value)
{
	char *copy;

	if (*sip_message_to_tag(m))
		return 0;
	copy = osip_strdup(value);
	return copy ? osip_to_set_tag(m->to, copy) : OSIP_NOMEM;
}

struct osip_message *sip_message_answer(const struct osip_message *request,
					unsigned status, const char *reason,
					const char *to_tag, struct error *e)
{
	bool makes_dialog = status > 100 && status < 300;
	osip_message_t *m = NULL;
	int rc;

	if ((rc = osip_message_init(&m)) != 0 ||
	    (rc = set_line(m, status, reason)) != 0 ||
	    (rc = copy_dialog(request, m)) != 0 ||
	    (rc = copy_list(&request->vias, &m->vias, SIZE_MAX, clone_via)) !=
		0 ||
	    (status > 100 && (rc = set_tag(m, to_tag)) != 0) ||
	    (status == 100 && (rc = copy_timestamp(request, m)) != 0) ||
	    (makes_dialog &&
	     (rc = copy_list(&request->record_routes, &m->record_routes,
			     SIZE_MAX, clone_route)) != 0)) {
		osip_message_free(m);
		failed(rc, e);
		return NULL;
	}
	return m;
}

/* --- requests */

static int set_method(osip_message_t *m, const char *method)
{
	osip_free(m->cseq->method);
	m->cseq->method = osip_strdup(method);
	m->sip_method = osip_strdup(method);
	m->sip_version = osip_strdup("SIP/2.0");
	return m->cseq->method && m->sip_method && m->sip_version ? 0
								  : OSIP_NOMEM;
}

struct osip_message *sip_message_cancel(const struct osip_message *request,
					struct error *e)
{
	osip_message_t *m = NULL;
	int rc;

	if ((rc = osip_message_init(&m)) != 0 ||
	    (rc = copy_dialog(request, m)) != 0 ||
	    (rc = osip_uri_clone(request->req_uri, &m->req_uri)) != 0 ||
	    (rc = copy_list(&request->vias, &m->vias, 1, clone_via)) != 0 ||
	    (rc = copy_list(&request->routes, &m->routes, SIZE_MAX,
			    clone_route)) != 0 ||
	    (rc = set_method(m, "CANCEL")) != 0) {
		osip_message_free(m);
		failed(rc, e);
		return NULL;
	}
	return m;
}

int sip_message_add(struct osip_message *m, const char *name, const char *value,
		    struct error *e)
{
	int rc = osip_message_set_header(m, name, value);

	return rc == 0 ? 0 : failed(rc, e);
}

int sip_message_add_abilities(struct osip_message *m, struct error *e)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "Allow", SIP_ALLOW },
		{ "Accept", "application/sdp" },
		{ "Accept-Encoding", "identity" },
		{ "Supported", SIP_SUPPORTED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sip_message_add(m, rows[i].name, rows[i].value, e) < 0)
			return -1;
	return 0;
}

int sip_message_write(struct osip_message *m, struct buf *out, struct error *e)
{
	osip_header_t *forwards = NULL;
	char *text = NULL;
	size_t n = 0;
	int rc;

	if (MSG_IS_REQUEST(m) &&
	    osip_message_get_max_forwards(m, 0, &forwards) < 0 &&
	    (rc = osip_message_set_max_forwards(m, "70")) != 0)
		return failed(rc, e);
	if ((rc = osip_message_to_str(m, &text, &n)) != 0)
		return failed(rc, e);
	rc = buf_add(out, text, n, e);
	osip_free(text);
	return rc;
}

bool sip_message_is_large(struct osip_message *m)
{
	struct error e = ERROR_INIT;
	struct buf text;
	bool large;

	/* A description may hold keys. */
	buf_init_secret(&text, DATAGRAM_MAX);
	large = sip_message_write(m, &text, &e) < 0;
	buf_free(&text);
	return large;
}
