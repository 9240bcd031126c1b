/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

static void copy(const char *text, char *out, size_t size)
{
	utf8_line(view_str(text), out, size);
}

void certificate_names_of(const struct cert *leaf,
			  struct certificate_names *out)
{
	copy(cert_subject(leaf)->text, out->subject, sizeof(out->subject));
	copy(cert_issuer(leaf)->text, out->issuer, sizeof(out->issuer));
	copy(cert_serial_text(leaf), out->serial, sizeof(out->serial));
}

static void describe(const struct cert *leaf, const struct login_name *login,
		     struct client_certificate *out)
{
	out->present = true;
	out->login = *login;
	certificate_names_of(leaf, &out->names);
	memcpy(out->sha256, cert_sha256(leaf), sizeof(out->sha256));
	out->expires = cert_not_after(leaf);
}

void tls_verdict_refuse(enum judge_reason reason, const char *text,
			struct tls_verdict *out)
{
	memset(out, 0, sizeof(*out));
	out->reason = judge_reason_name(reason);
	out->alert = judge_reason_alert(reason);
	snprintf(out->text, sizeof(out->text), "%s", text);
}

/* Whoever cannot be judged is refused. */
void tls_verdict_by_judge(const struct judge_question *q,
			  struct tls_verdict *out)
{
	static const struct login_name nobody = { .reason = "a server" };
	struct error e = ERROR_INIT;
	struct judgement j;

	if (judge(q, &j, &e) < 0)
		snprintf(j.text, sizeof(j.text), "%s", e.text);
	tls_verdict_refuse(j.reason, j.text, out);
	out->accepted = j.accepted;
	if (q->sent->count)
		certificate_names_of(q->sent->items[0], &out->names);
	if (j.accepted)
		describe(q->sent->items[0],
			 q->role == JUDGE_CLIENT ? &j.login : &nobody,
			 &out->certificate);
	judgement_free(&j);
}

/* Whatever it says: nothing is known then. */
static void accept_any(struct tls_verdict *out)
{
	tls_verdict_refuse(JUDGE_ACCEPTED, "", out);
	out->accepted = true;
}

void tls_verdict_of_client(const struct judge_store *anchors,
			   const struct cert_list *sent, time_t now,
			   struct tls_verdict *out)
{
	const struct judge_question q = {
		.store = anchors,
		.sent = sent,
		.role = JUDGE_CLIENT,
		.now = now,
	};

	if (anchors)
		tls_verdict_by_judge(&q, out);
	else
		tls_verdict_refuse(JUDGE_UNKNOWN_AUTHORITY,
				   "the trust store was not read yet", out);
}

void tls_verdict_of_server(enum tls_server_check check,
			   const struct judge_store *anchors,
			   const struct cert_list *sent, const char *host,
			   time_t now, struct tls_verdict *out)
{
	const struct judge_question q = {
		.store = anchors,
		.sent = sent,
		.role = JUDGE_SERVER,
		.host = host,
		.now = now,
	};

	if (!sent->count)
		tls_verdict_refuse(JUDGE_NOTHING_SENT,
				   "no certificate was sent", out);
	else if (check == TLS_SERVER_ANY)
		accept_any(out);
	else if (!host)
		tls_verdict_refuse(JUDGE_NOT_JUDGED,
				   "there is no host to compare", out);
	else if (!anchors)
		tls_verdict_refuse(JUDGE_UNKNOWN_AUTHORITY,
				   "the trust store was not read yet", out);
	else
		tls_verdict_by_judge(&q, out);
}

static void release_store(void *arg)
{
	judge_store_unref(arg);
}

static void verify_client(void *arg, const struct cert_list *sent,
			  const char *host, struct tls_verdict *out)
{
	(void)host;
	tls_verdict_of_client(arg, sent, clock_now(), out);
}

struct tls_verifier tls_client_verifier(const struct judge_store *anchors)
{
	return (struct tls_verifier){ verify_client, release_store,
				      anchors ? judge_store_ref(anchors)
					      : NULL };
}

static void verify_server(void *arg, const struct cert_list *sent,
			  const char *host, struct tls_verdict *out)
{
	tls_verdict_of_server(TLS_SERVER_VERIFY, arg, sent, host, clock_now(),
			      out);
}

static void verify_any(void *arg, const struct cert_list *sent,
		       const char *host, struct tls_verdict *out)
{
	tls_verdict_of_server(TLS_SERVER_ANY, arg, sent, host, clock_now(),
			      out);
}

struct tls_verifier tls_server_verifier(enum tls_server_check check,
					const struct judge_store *anchors)
{
	if (check == TLS_SERVER_ANY)
		return (struct tls_verifier){ .verify = verify_any };
	return (struct tls_verifier){ verify_server, release_store,
				      anchors ? judge_store_ref(anchors)
					      : NULL };
}
