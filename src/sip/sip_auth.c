/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_auth.h"

#include <string.h>
#include <sys/time.h>
#include <osip2/osip.h>

#include "sip/sip_message.h"

enum { CNONCE = 16 };

/* --- challenges ----------------------------------------------------------- */

/* The i-th of a message as text, to be freed; NULL: there is none. */
static char *challenge_text(const osip_message_t *m, int side, int i)
{
	const osip_list_t *all = side == SIP_AUTH_PROXY
				     ? &m->proxy_authenticates
				     : &m->www_authenticates;
	/* The library has one structure for both. */
	const osip_www_authenticate_t *one = osip_list_get(all, i);
	char *text = NULL;

	if (!one || osip_www_authenticate_to_str(one, &text) != 0)
		return NULL;
	return text;
}

/* The first of the strongest algorithm (RFC 8760 2.4). */
static bool best(const osip_message_t *m, int side,
		 struct digest_challenge *out)
{
	struct digest_challenge one;
	struct error e = ERROR_INIT;
	bool found = false;
	char *text;

	for (int i = 0; (text = challenge_text(m, side, i)); i++) {
		if (digest_challenge_read(view_str(text), &one, &e) == 0 &&
		    (!found || one.algorithm > out->algorithm)) {
			*out = one;
			found = true;
		}
		osip_free(text);
	}
	return found;
}

static int side_of(const struct osip_message *response)
{
	return response->status_code == 407 ? SIP_AUTH_PROXY : SIP_AUTH_SERVER;
}

bool sip_auth_is_stale(const struct osip_message *response)
{
	struct digest_challenge c;

	return best(response, side_of(response), &c) && c.stale;
}

bool sip_auth_take(struct sip_auth *a, const struct osip_message *response)
{
	int side = side_of(response);
	struct digest_challenge c;

	if (!best(response, side, &c))
		return false;
	if (a->sides[side].known && !c.stale &&
	    !strcmp(a->sides[side].challenge.realm, c.realm))
		return false;
	a->sides[side].known = true;
	a->sides[side].challenge = c;
	a->sides[side].count = 0;
	return true;
}

/* --- answers -------------------------------------------------------------- */

static int add_side(struct sip_auth *a, int side, struct digest_request *r,
		    struct osip_message *request, struct error *e)
{
	static const char *const names[SIP_AUTH_SIDES] = {
		[SIP_AUTH_SERVER] = "Authorization",
		[SIP_AUTH_PROXY] = "Proxy-Authorization",
	};
	struct buf value;
	int rc;

	buf_init_secret(&value, DIGEST_VALUE_MAX);
	r->count = ++a->sides[side].count;
	rc = digest_answer(&a->sides[side].challenge, r, &value, e);
	if (rc == 0)
		rc = sip_message_add(request, names[side], buf_cstr(&value), e);
	buf_free(&value);
	return rc;
}

int sip_auth_add(struct sip_auth *a, const char *user_name,
		 const struct secret *password, struct osip_message *request,
		 struct error *e)
{
	struct digest_request r = { .user_name = user_name,
				    .password = (const char *)password->ptr,
				    .method = request->sip_method };
	char cnonce[CNONCE + 1];
	char *uri = NULL;
	int rc = 0;

	random_text(cnonce, CNONCE);
	if (osip_uri_to_str(request->req_uri, &uri) != 0)
		return error_set(e, ERR_INPUT, "no Request-URI");
	r.uri = uri;
	r.cnonce = cnonce;
	for (int side = 0; rc == 0 && side < SIP_AUTH_SIDES; side++)
		if (a->sides[side].known)
			rc = add_side(a, side, &r, request, e);
	osip_free(uri);
	return rc;
}
