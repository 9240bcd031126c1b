/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"
#include "tls/verify.h"

/* SIP peers at either end of TLS. */

static void refuse_all(const struct cert *leaf, const char *text,
		       struct tls_verdict *out)
{
	tls_verdict_refuse(JUDGE_UNKNOWN_AUTHORITY, text, out);
	certificate_names_of(leaf, &out->names);
}

void tls_verdict_of_sip_peer(const struct judge_store *anchors,
			     const struct cert_list *sent, const char *host,
			     time_t now, struct tls_verdict *out)
{
	const struct judge_question q = {
		.store = anchors,
		.sent = sent,
		.role = JUDGE_SIP,
		.host = host,
		.now = now,
	};

	if (!sent->count)
		tls_verdict_refuse(JUDGE_NOTHING_SENT,
				   "no certificate was sent", out);
	else if (!anchors || judge_store_count(anchors) == 0)
		refuse_all(sent->items[0],
			   anchors ? "the SIP trust store is empty: nobody is "
				     "trusted"
				   : "the trust store was not read yet",
			   out);
	else
		tls_verdict_by_judge(&q, out);
}

static void release_store(void *arg)
{
	judge_store_unref(arg);
}

static void verify_callee(void *arg, const struct cert_list *sent,
			  const char *host, struct tls_verdict *out)
{
	if (host)
		tls_verdict_of_sip_peer(arg, sent, host, clock_now(), out);
	else
		tls_verdict_refuse(JUDGE_NOT_JUDGED,
				   "there is no host to compare", out);
}

static void verify_caller(void *arg, const struct cert_list *sent,
			  const char *host, struct tls_verdict *out)
{
	(void)host;
	tls_verdict_of_sip_peer(arg, sent, NULL, clock_now(), out);
}

static struct judge_store *keep(const struct judge_store *anchors)
{
	return anchors ? judge_store_ref(anchors) : NULL;
}

struct tls_verifier tls_sip_callee_verifier(enum tls_server_check check,
					    const struct judge_store *anchors)
{
	if (check == TLS_SERVER_ANY)
		return tls_server_verifier(check, NULL);
	return (struct tls_verifier){ verify_callee, release_store,
				      keep(anchors) };
}

struct tls_verifier tls_sip_caller_verifier(const struct judge_store *anchors)
{
	return (struct tls_verifier){ verify_caller, release_store,
				      keep(anchors) };
}
