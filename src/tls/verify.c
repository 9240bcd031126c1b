/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

static void describe(const struct cert *leaf, const struct login_name *login,
		     struct client_certificate *out)
{
	const char *subject = cert_subject(leaf)->text;

	out->present = true;
	out->login = *login;
	utf8_line(view_of(subject, strlen(subject)), out->subject,
		  sizeof(out->subject));
	memcpy(out->sha256, cert_sha256(leaf), sizeof(out->sha256));
	out->expires = cert_not_after(leaf);
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
	struct error e = ERROR_INIT;
	struct judgement j;

	memset(out, 0, sizeof(*out));
	if (judge(&q, &j, &e) < 0)
		snprintf(j.text, sizeof(j.text), "%s", e.text);
	out->accepted = j.accepted;
	out->reason = judge_reason_name(j.reason);
	out->alert = judge_reason_alert(j.reason);
	snprintf(out->text, sizeof(out->text), "%s", j.text);
	if (j.accepted)
		describe(sent->items[0], &j.login, &out->certificate);
	judgement_free(&j);
}

static void verify_client(void *arg, const struct cert_list *sent,
			  struct tls_verdict *out)
{
	tls_verdict_of_client(arg, sent, clock_now(), out);
}

static void release_store(void *arg)
{
	judge_store_unref(arg);
}

struct tls_verifier tls_client_verifier(const struct judge_store *anchors)
{
	return (struct tls_verifier){ verify_client, release_store,
				      judge_store_ref(anchors) };
}
