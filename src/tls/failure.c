/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <string.h>

#include <wolfssl/error-ssl.h>

/* What wolfSSL reports, in plain words. */

static const char *const alert_names[] = {
	[0] = "close_notify",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[21] = "decryption_failed",
	[22] = "record_overflow",
	[30] = "decompression_failure",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[60] = "export_restriction",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[111] = "certificate_unobtainable",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[114] = "bad_certificate_hash_value",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[120] = "no_application_protocol",
};

static const struct reason {
	int native;
	const char *text;
} reasons[] = {
	{ VERSION_ERROR, "no TLS version in common with the peer" },
	{ UNSUPPORTED_PROTO_VERSION, "no TLS version in common with the peer" },
	{ MATCH_SUITE_ERROR, "no cipher suite in common with the peer" },
	{ UNSUPPORTED_SUITE, "no cipher suite in common with the peer" },
	{ INVALID_PARAMETER, "peer offers nothing that this key can sign" },
	{ BAD_KEY_SHARE_DATA, "no key exchange group in common with the peer" },
	{ UNKNOWN_RECORD_TYPE, "peer does not speak TLS" },
	{ SECURE_RENEGOTIATION_E, "peer asked for renegotiation" },
	{ RSA_SIGN_FAULT, "the token made a wrong signature" },
	{ BUFFER_ERROR, "peer sent a malformed message" },
	{ PARSE_ERROR, "peer sent a malformed message" },
	{ DECODE_E, "peer sent a malformed message" },
	{ DUPLICATE_MSG_E, "peer repeated a handshake message" },
	{ OUT_OF_ORDER_E, "peer sent a handshake message out of order" },
	{ SANITY_MSG_E, "peer sent a handshake message out of order" },
	{ LENGTH_ERROR, "peer sent a record that is too long" },
	{ HANDSHAKE_SIZE_ERROR, "peer sent a handshake message too long" },
	{ VERIFY_MAC_ERROR, "a record of the peer was altered on the way" },
	{ DECRYPT_ERROR, "a record of the peer was altered on the way" },
};

const char *tls_alert_name(int code)
{
	if (code < 0 ||
	    (size_t)code >= sizeof(alert_names) / sizeof(alert_names[0]))
		return NULL;
	return alert_names[code];
}

static int alert_failure(int native, int code, struct error *e)
{
	const char *name = tls_alert_name(code);

	if (!name)
		return error_set_native(e, ERR_TLS, native,
					"peer sent alert %d", code);
	return error_set_native(e, ERR_TLS, native, "peer sent alert %s", name);
}

/* A TLS 1.3 client may refuse our certificate before it encrypts (OpenSSL
 * does). wolfSSL takes that alert for a damaged record as soon as it has its
 * header. The alert proves nothing about who sent it, but it says why the peer
 * left. NULL when there is none. */
static const uint8_t *plain_alert(const struct tls_conn *c)
{
	static const uint8_t header[TLS_RECORD_HEADER] = { 21, 3, 3, 0, 2 };

	if (c->established || memcmp(c->tail, header, sizeof(header)) != 0 ||
	    c->in.len - c->in_pos < 2 || c->in.ptr[c->in_pos] != alert_fatal)
		return NULL;
	return c->in.ptr + c->in_pos + 1;
}

int tls_failure(struct tls_conn *c, int native, struct error *e)
{
	const uint8_t *plain = plain_alert(c);
	WOLFSSL_ALERT_HISTORY history;

	if (c->failure.kind != ERR_NONE) {
		*e = c->failure;
		return -1;
	}
	if (wolfSSL_get_alert_history(c->ssl, &history) == WOLFSSL_SUCCESS &&
	    history.last_rx.level == alert_fatal)
		return alert_failure(native, history.last_rx.code, e);
	if (plain)
		return alert_failure(native, *plain, e);
	if (c->eof_seen)
		return error_set_native(e, ERR_TLS, native,
					"peer closed the connection in the "
					"middle of %s",
					c->established ? "a record"
						       : "the handshake");
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].native == native)
			return error_set_native(e, ERR_TLS, native, "%s",
						reasons[i].text);
	return error_set_native(
	    e, ERR_TLS, native, "%s",
	    wolfSSL_ERR_reason_error_string((unsigned long)(long)native));
}
