/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sdp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "sip/sip_head.h"

/* Our own reader: libosip2's (5.3.0) goes past the end of a text whose last
 * line is cut short. */

enum { PAYLOAD_MAX = 127, PORT_MAX = 65535, TAG_MAX = 999999999 };

/* --- lines */

/* The next "x=value" of *rest, which moves behind it; lines end with CRLF or LF
 * (RFC 4566 5). 1: there is one; 0: the end; -1: something else. */
static int next_line(struct view *rest, char *type, struct view *value)
{
	const uint8_t *end;
	size_t n;

	if (!rest->len)
		return 0;
	end = memchr(rest->ptr, '\n', rest->len);
	n = end ? (size_t)(end - rest->ptr) : rest->len;
	if (n < 2 || rest->ptr[0] < 'a' || rest->ptr[0] > 'z' ||
	    rest->ptr[1] != '=')
		return -1;
	*type = (char)rest->ptr[0];
	*value = view_of(rest->ptr + 2, n - 2);
	if (value->len && value->ptr[value->len - 1] == '\r')
		value->len--;
	*rest = end ? view_of(end + 1, rest->len - n - 1) : view_of("", 0);
	return 1;
}

/* The first line of that type in a part of the text. */
static bool find_line(struct view part, char type, struct view *value)
{
	char found;

	while (next_line(&part, &found, value) > 0)
		if (found == type)
			return true;
	return false;
}

/* The next attribute of that name; *part moves behind it. A flag has an empty
 * value. */
static bool next_attribute(struct view *part, const char *name,
			   struct view *value)
{
	size_t n = strlen(name);
	char type;

	while (next_line(part, &type, value) > 0) {
		if (type != 'a' || value->len < n ||
		    !sip_text_is(view_of(value->ptr, n), name) ||
		    (value->len > n && value->ptr[n] != ':'))
			continue;
		*value = value->len > n
			     ? view_of(value->ptr + n + 1, value->len - n - 1)
			     : view_of("", 0);
		return true;
	}
	return false;
}

/* The next word of a value, blanks between them. */
static bool next_word(struct view *rest, struct view *word)
{
	const uint8_t *blank;
	size_t n;

	*rest = sip_trim(*rest);
	if (!rest->len)
		return false;
	blank = memchr(rest->ptr, ' ', rest->len);
	n = blank ? (size_t)(blank - rest->ptr) : rest->len;
	*word = view_of(rest->ptr, n);
	*rest = view_of(rest->ptr + n, rest->len - n);
	return true;
}

/* One stream: the words of its "m=" and the lines up to the next. */
struct media {
	struct view kind, port, proto, formats, lines;
};

/* --- codecs */

/* What a=rtpmap says of the payload type: "PCMU/8000". */
static bool find_rtpmap(const struct media *m, uint64_t payload,
			struct view *map)
{
	struct view part = m->lines, value, word;
	uint64_t number;

	while (next_attribute(&part, "rtpmap", &value))
		if (next_word(&value, &word) &&
		    sip_number(word, PAYLOAD_MAX, &number) &&
		    number == payload && next_word(&value, map))
			return true;
	return false;
}

/* One channel of 8 kHz. */
static bool is_encoding(struct view map, const char *name)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%s/8000", name);
	if (sip_text_is(map, wanted))
		return true;
	snprintf(wanted, sizeof(wanted), "%s/8000/1", name);
	return sip_text_is(map, wanted);
}

static bool is_codec(enum sdp_codec c, uint64_t payload, bool mapped,
		     struct view map)
{
	return mapped ? is_encoding(map, sdp_codec_name(c))
		      : payload == (uint64_t)sdp_codec_payload(c);
}

static void take_payload(const struct media *m, uint64_t payload,
			 struct sdp_remote *out, bool *found)
{
	struct view map = view_of("", 0);
	bool mapped = find_rtpmap(m, payload, &map);

	if (mapped && out->event < 0 && is_encoding(map, "telephone-event"))
		out->event = (int)payload;
	for (int c = 0; c < SDP_CODEC_COUNT; c++) {
		if (out->payload[c] >= 0 ||
		    !is_codec((enum sdp_codec)c, payload, mapped, map))
			continue;
		out->payload[c] = (int)payload;
		if (!*found)
			out->first = (enum sdp_codec)c;
		*found = true;
	}
}

static bool read_payloads(const struct media *m, struct sdp_remote *out)
{
	struct view rest = m->formats, word;
	bool found = false, seen[PAYLOAD_MAX + 1] = { false };
	uint64_t payload;

	out->event = -1;
	for (int c = 0; c < SDP_CODEC_COUNT; c++)
		out->payload[c] = -1;
	/* Each costs a walk through all lines: once is enough. */
	while (next_word(&rest, &word)) {
		if (!sip_number(word, PAYLOAD_MAX, &payload) || seen[payload])
			continue;
		seen[payload] = true;
		take_payload(m, payload, out, &found);
	}
	return found;
}

/* --- keys */

/* "inline:KEY" or "inline:KEY|2^31" (RFC 4568 6.1). A key identifier in each
 * packet (a second bar, or a colon) and several keys are not for us. */
static bool read_key(struct view word, uint8_t out[SDP_SRTP_KEY])
{
	static const char method[] = "inline:";
	const size_t n = sizeof(method) - 1;
	uint8_t bytes[2 * SDP_SRTP_KEY];
	const uint8_t *bar;
	size_t length, bad;
	struct view key;
	bool ok;

	if (word.len < n || !sip_text_is(view_of(word.ptr, n), method))
		return false;
	key = view_of(word.ptr + n, word.len - n);
	if (memchr(key.ptr, ';', key.len) || memchr(key.ptr, ':', key.len))
		return false;
	bar = memchr(key.ptr, '|', key.len);
	if (bar)
		key.len = (size_t)(bar - key.ptr);
	if (base64_decoded_max(key.len) > sizeof(bytes))
		return false;
	ok = base64_decode(key, bytes, &length, &bad) == 0 &&
	     length == SDP_SRTP_KEY;
	if (ok)
		memcpy(out, bytes, SDP_SRTP_KEY);
	secret_wipe(bytes, sizeof(bytes));
	return ok;
}

/* "1 AES_CM_128_HMAC_SHA1_80 inline:..."; session parameters behind it are not
 * for us (RFC 4568 9.1). */
static bool read_crypto(struct view value, struct sdp_crypto *out)
{
	struct view tag, suite, key, more;
	uint64_t number;

	if (!next_word(&value, &tag) || !next_word(&value, &suite) ||
	    !next_word(&value, &key) || next_word(&value, &more) ||
	    !sip_number(tag, TAG_MAX, &number) || number == 0)
		return false;
	for (int s = 0; s < SDP_SUITE_COUNT && !out->present; s++) {
		if (!sip_text_is(suite, sdp_suite_name((enum sdp_suite)s)) ||
		    !read_key(key, out->key))
			continue;
		out->tag = (unsigned)number;
		out->suite = (enum sdp_suite)s;
		out->present = true;
	}
	return out->present;
}

static void find_crypto(const struct media *m, struct sdp_crypto *out)
{
	struct view part = m->lines, value;

	while (next_attribute(&part, "crypto", &value))
		if (read_crypto(value, out))
			return;
}

/* --- direction and address */

static bool find_direction(struct view part, enum sdp_direction *out)
{
	struct view value;
	char type;

	while (next_line(&part, &type, &value) > 0)
		for (int d = 0; type == 'a' && d < SDP_DIRECTION_COUNT; d++)
			if (sip_text_is(value, sdp_direction_name(
						   (enum sdp_direction)d))) {
				*out = (enum sdp_direction)d;
				return true;
			}
	return false;
}

/* "0.0.0.0" and "::", however they are written. */
static bool is_any_address(const char *text)
{
	static const uint8_t zeros[16];
	uint8_t bytes[16] = { 0 };

	return (inet_pton(AF_INET, text, bytes) == 1 ||
		inet_pton(AF_INET6, text, bytes) == 1) &&
	       memcmp(bytes, zeros, sizeof(bytes)) == 0;
}

/* That of a multicast group has its TTL behind a slash (RFC 4566 5.7). */
static void copy_address(struct view word, char out[SDP_ADDRESS_MAX])
{
	const uint8_t *slash = memchr(word.ptr, '/', word.len);
	uint8_t bytes[16];

	if (slash)
		word.len = (size_t)(slash - word.ptr);
	if (word.len < SDP_ADDRESS_MAX)
		memcpy(out, word.ptr, word.len);
	if (inet_pton(AF_INET, out, bytes) != 1 &&
	    inet_pton(AF_INET6, out, bytes) != 1)
		memset(out, 0, SDP_ADDRESS_MAX);
}

static void read_address(struct view session, const struct media *m,
			 struct sdp_remote *out)
{
	static const enum sdp_direction held[] = {
		[SDP_SENDRECV] = SDP_SENDONLY,
		[SDP_SENDONLY] = SDP_SENDONLY,
		[SDP_RECVONLY] = SDP_INACTIVE,
		[SDP_INACTIVE] = SDP_INACTIVE,
	};
	struct view value, net, family, address;

	if (!find_line(m->lines, 'c', &value) &&
	    !find_line(session, 'c', &value))
		return;
	if (next_word(&value, &net) && next_word(&value, &family) &&
	    next_word(&value, &address))
		copy_address(address, out->address);
	/* How RFC 2543 put a call on hold (RFC 3264 8.4). */
	if (!is_any_address(out->address))
		return;
	out->direction = held[out->direction];
	memset(out->address, 0, sizeof(out->address));
}

/* "53020" or "53020 IN IP4 192.0.2.9" (RFC 3605 2.1); on another host than the
 * audio it is not for us. Read behind the address. */
static void read_control(const struct media *m, struct sdp_remote *out)
{
	struct view part = m->lines, value, word, address;
	uint64_t port;

	if (!next_attribute(&part, "rtcp", &value) ||
	    !next_word(&value, &word) || !sip_number(word, PORT_MAX, &port) ||
	    (next_word(&value, &word) &&
	     (!next_word(&value, &word) || !next_word(&value, &address) ||
	      !view_is(address, out->address))))
		return;
	out->rtcp_port = (uint16_t)port;
}

static void read_direction(struct view session, const struct media *m,
			   struct sdp_remote *out)
{
	out->direction = SDP_SENDRECV;
	if (!find_direction(m->lines, &out->direction))
		(void)find_direction(session, &out->direction);
}

/* --- streams */

/* May be repeated in an answer as it is. */
static bool copy_word(struct view word, char *out, size_t size)
{
	if (!word.len || word.len >= size)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] <= ' ' || word.ptr[i] > '~')
			return false;
	memcpy(out, word.ptr, word.len);
	out[word.len] = '\0';
	return true;
}

static int read_media(struct view value, struct media *m, struct sdp_line *line,
		      struct error *e)
{
	struct view first;

	if (next_word(&value, &m->kind) && next_word(&value, &m->port) &&
	    next_word(&value, &m->proto)) {
		m->formats = value;
		if (next_word(&value, &first) &&
		    copy_word(m->kind, line->media, sizeof(line->media)) &&
		    copy_word(m->proto, line->proto, sizeof(line->proto)) &&
		    copy_word(first, line->format, sizeof(line->format)))
			return 0;
	}
	return error_set(e, ERR_INPUT,
			 "a line m= without media, port, protocol or format");
}

/* Is it a stream that we can take part in? */
static bool take_audio(struct view session, const struct media *m,
		       struct sdp_remote *out)
{
	bool srtp = view_is(m->proto, "RTP/SAVP");
	uint64_t port;

	if (!sip_text_is(m->kind, "audio") ||
	    (!srtp && !view_is(m->proto, "RTP/AVP")) ||
	    !sip_number(m->port, PORT_MAX, &port) || port == 0)
		return false;
	if (srtp)
		find_crypto(m, &out->crypto);
	if ((srtp && !out->crypto.present) || !read_payloads(m, out)) {
		secret_wipe(&out->crypto, sizeof(out->crypto));
		return false;
	}
	out->srtp = srtp;
	out->port = (uint16_t)port;
	read_direction(session, m, out);
	read_address(session, m, out);
	read_control(m, out);
	return true;
}

/* The lines before the next "m=". */
static struct view cut_part(struct view *rest)
{
	struct view whole = *rest, value;
	char type;

	while (rest->len && rest->ptr[0] != 'm')
		(void)next_line(rest, &type, &value);
	return view_of(whole.ptr, whole.len - rest->len);
}

static int check_lines(struct view text, struct error *e)
{
	struct view value;
	char type;
	int rc;

	if (text.len > SDP_BYTES_MAX)
		return error_set(e, ERR_INPUT,
				 "a session description of more than %d bytes",
				 SDP_BYTES_MAX);
	if (next_line(&text, &type, &value) <= 0 || type != 'v' ||
	    !view_is(value, "0"))
		return error_set(e, ERR_INPUT,
				 "no session description: it begins with v=0");
	while ((rc = next_line(&text, &type, &value)) > 0)
		;
	if (rc < 0)
		return error_set(e, ERR_INPUT,
				 "no session description: a line is not x=...");
	return 0;
}

static int read_streams(struct view session, struct view rest,
			struct sdp_remote *out, struct error *e)
{
	bool found = false;
	struct view value;
	struct media m;
	char type;

	while (next_line(&rest, &type, &value) > 0) {
		if (out->count == SDP_MEDIA_MAX)
			return error_set(e, ERR_INPUT, "more than %d lines m=",
					 SDP_MEDIA_MAX);
		m.lines = cut_part(&rest);
		if (read_media(value, &m, &out->lines[out->count], e) < 0)
			return -1;
		if (!found && take_audio(session, &m, out)) {
			out->audio = out->count;
			found = true;
		}
		out->count++;
	}
	if (!out->count)
		return error_set(e, ERR_INPUT, "no line m=");
	if (!found)
		return error_set(e, ERR_UNSUPPORTED,
				 "no audio over RTP/AVP or RTP/SAVP in PCMU or "
				 "PCMA, or no key for SRTP that fits");
	return 0;
}

int sdp_read(struct view text, struct sdp_remote *out, struct error *e)
{
	struct view session;

	memset(out, 0, sizeof(*out));
	if (check_lines(text, e) < 0)
		return -1;
	session = cut_part(&text);
	if (read_streams(session, text, out, e) == 0)
		return 0;
	secret_wipe(&out->crypto, sizeof(out->crypto));
	return -1;
}
