/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/call_context.h"

#include <string.h>

/* What a context is made from, as of now. */
static void look(const struct call_policy *p, struct call_context *out)
{
	struct trust_snapshot *s = NULL;

	memset(out, 0, sizeof(*out));
	out->checked =
	    settings_choice(p->settings, SETTING_SERVER_CERTIFICATE) ==
	    TLS_SERVER_VERIFY;
	out->minimum =
	    settings_choice(p->settings, SETTING_TLS_MINIMUM_VERSION);
	out->identity = identity_in_service(p->identity);
	if (out->checked)
		s = trust_snapshot(p->trust, TRUST_HTTPS);
	out->generation = s ? s->generation : 0;
	trust_snapshot_unref(s);
}

/* *out NULL, as the verifier has it: the store was not read yet. */
static int read_anchors(const struct call_policy *p, struct call_context *c,
			struct judge_store **out, struct error *e)
{
	struct trust_snapshot *s = trust_snapshot(p->trust, TRUST_HTTPS);

	*out = NULL;
	c->generation = s ? s->generation : 0;
	if (!s)
		return 0;
	*out = judge_store_new(&s->certificates, e);
	trust_snapshot_unref(s);
	return *out ? 0 : -1;
}

int call_context_make(const struct call_policy *p, struct call_context *out,
		      struct error *e)
{
	struct judge_store *anchors = NULL;
	struct tls_verifier verifier;
	struct tls_client_options o = { .verifier = &verifier };

	look(p, out);
	if (!out->identity)
		return error_set(e, ERR_CONFLICT,
				 "there is no certificate in service yet; see "
				 "the state of the token");
	if (out->checked && read_anchors(p, out, &anchors, e) < 0)
		return -1;
	verifier = tls_server_verifier(
	    out->checked ? TLS_SERVER_VERIFY : TLS_SERVER_ANY, anchors);
	judge_store_unref(anchors);
	o.identity = out->identity;
	o.minimum = out->minimum == 0 ? TLS_1_2 : TLS_1_3;
	out->tls = tls_client_new(&o, e);
	return out->tls ? 0 : -1;
}

bool call_context_is_current(const struct call_policy *p,
			     const struct call_context *c)
{
	struct call_context now;
	bool same;

	look(p, &now);
	same = now.checked == c->checked && now.minimum == c->minimum &&
	       now.identity == c->identity && now.generation == c->generation;
	call_context_end(&now);
	return same;
}

void call_context_end(struct call_context *c)
{
	tls_context_unref(c->tls);
	local_identity_unref(c->identity);
	memset(c, 0, sizeof(*c));
}
