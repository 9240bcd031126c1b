/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Load on a SIP service over TLS of this machine: clients that each do one
 * thing after another, over a connection that stands or a new one each time.
 *
 *	sip-load MODE PORT THREADS SECONDS
 *
 *	handshakes     connect, CRLF CRLF and its CRLF
 *	new-options    connect, OPTIONS and 200
 *	new-calls      connect, INVITE 200 ACK BYE 200
 *	options        OPTIONS and 200, all on one connection
 *	calls          INVITE 200 ACK BYE 200, all on one connection
 *
 *	sip-load hold PORT COUNT
 *
 * keeps COUNT idle flows until the end of the standard input, and tells how
 * many of them still answer then.
 *
 * Prints one line of JSON. What is not answered as it should is counted as
 * failed, and the first of these is shown. */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "tests/bench/client.h"

enum {
	THREADS_MAX = 64,
	SECONDS_MAX = 60,
	HOLD_MAX = 20000,
	HOLD_PER_ADDRESS = 100, /* the service allows 256 */
	MESSAGE_MAX = 8192,
	VALUE_MAX = 512,
};

struct flow {
	SSL *ssl;
	char address[INET_ADDRSTRLEN]; /* ours */
	char in[MESSAGE_MAX + 1];      /* the answer, then what is unread */
	size_t have, used;             /* used: of the answer */
	unsigned status;
};

struct mode {
	const char *name;
	bool (*run)(struct flow *f);
	bool stands; /* one connection for all of it */
};

struct client {
	pthread_t thread;
	unsigned number;
	unsigned long done, failed;
};

static const struct mode *mode;
static const char *port;
static double deadline;
static _Thread_local unsigned long serial;
static _Thread_local unsigned client_number;

static int usage(void)
{
	fprintf(stderr,
		"usage: sip-load handshakes|options|calls|new-options|new-calls"
		" PORT THREADS SECONDS\n"
		"       sip-load hold PORT COUNT\n");
	return 2;
}

/* --- flows */

static bool flow_open(struct flow *f, unsigned number)
{
	struct sockaddr_in own;
	socklen_t size = sizeof(own);

	f->have = f->used = 0;
	f->ssl = client_open(number);
	if (!f->ssl)
		return false;
	if (getsockname(SSL_get_fd(f->ssl), (struct sockaddr *)&own, &size) <
		0 ||
	    !inet_ntop(AF_INET, &own.sin_addr, f->address,
		       sizeof(f->address))) {
		client_close(f->ssl);
		f->ssl = NULL;
	}
	return f->ssl != NULL;
}

static void flow_close(struct flow *f)
{
	if (f->ssl)
		client_close(f->ssl);
	f->ssl = NULL;
}

static bool put(struct flow *f, const char *text, size_t n)
{
	return SSL_write(f->ssl, text, (int)n) == (int)n;
}

static bool more(struct flow *f)
{
	int n = SSL_read(f->ssl, f->in + f->have, (int)(MESSAGE_MAX - f->have));

	if (n <= 0)
		return false;
	f->have += (size_t)n;
	f->in[f->have] = '\0';
	return true;
}

/* One answer, provisional ones too; it stands at the beginning of f->in. */
static bool get(struct flow *f)
{
	const char *end, *field;
	size_t whole;

	memmove(f->in, f->in + f->used, f->have - f->used);
	f->have -= f->used;
	f->used = 0;
	f->in[f->have] = '\0';
	while (!(end = strstr(f->in, "\r\n\r\n")))
		if (f->have == MESSAGE_MAX || !more(f))
			return false;
	field = strcasestr(f->in, "\r\nContent-Length:");
	if (!field || field > end)
		return false;
	whole = (size_t)(end + 4 - f->in) + strtoul(field + 17, NULL, 10);
	while (f->have < whole)
		if (whole > MESSAGE_MAX || !more(f))
			return false;
	f->used = whole;
	return sscanf(f->in, "SIP/2.0 %u", &f->status) == 1;
}

static bool get_final(struct flow *f)
{
	do {
		if (!get(f))
			return false;
	} while (f->status < 200);
	return f->status == 200;
}

/* The value of a field of the answer; "" without. */
static void value_of(const struct flow *f, const char *name, char *out)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
	at = strcasestr(f->in, wanted);
	out[0] = '\0';
	if (!at)
		return;
	at += strlen(wanted);
	snprintf(out, VALUE_MAX, "%.*s", (int)strcspn(at, "\r"), at);
}

/* --- messages */

struct dialog {
	char id[64];
	char to[VALUE_MAX], uri[VALUE_MAX];
};

static void begin(struct dialog *d)
{
	snprintf(d->id, sizeof(d->id), "%u.%lu.%ld", client_number, ++serial,
		 random());
	snprintf(d->to, sizeof(d->to), "<sip:echo@127.0.0.1:%s>", port);
	snprintf(d->uri, sizeof(d->uri), "sip:echo@127.0.0.1:%s;transport=tls",
		 port);
}

static bool request(struct flow *f, const struct dialog *d, const char *method,
		    unsigned cseq, const char *body)
{
	char text[4096];
	size_t n = (size_t)snprintf(
	    text, sizeof(text),
	    "%s %s SIP/2.0\r\n"
	    "Via: SIP/2.0/TLS %s:5061;branch=z9hG4bK%s%s%u;rport\r\n"
	    "Max-Forwards: 70\r\n"
	    "From: \"Load\" <sip:load@%s>;tag=%s\r\n"
	    "To: %s\r\n"
	    "Call-ID: %s\r\n"
	    "CSeq: %u %s\r\n"
	    "Contact: <sip:load@%s:5061;transport=tls>\r\n"
	    "User-Agent: sip-load\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s",
	    method, d->uri, f->address, d->id, method, cseq, f->address, d->id,
	    d->to, d->id, cseq, method, f->address,
	    *body ? "Content-Type: application/sdp\r\n" : "", strlen(body),
	    body);

	return n < sizeof(text) && put(f, text, n);
}

static bool run_handshake(struct flow *f)
{
	/* TLS 1.3 is done for the client before it is for the server. */
	return put(f, "\r\n\r\n", 4) && more(f) && f->have == 2;
}

static bool run_options(struct flow *f)
{
	struct dialog d;

	begin(&d);
	return request(f, &d, "OPTIONS", 1, "") && get_final(f);
}

static bool run_call(struct flow *f)
{
	char offer[256], contact[VALUE_MAX];
	struct dialog d;
	const char *uri;

	begin(&d);
	snprintf(offer, sizeof(offer),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		 f->address, f->address);
	if (!request(f, &d, "INVITE", 1, offer) || !get_final(f))
		return false;
	value_of(f, "To", d.to);
	value_of(f, "Contact", contact);
	uri = strchr(contact, '<');
	if (!uri)
		return false;
	snprintf(d.uri, sizeof(d.uri), "%.*s", (int)strcspn(uri + 1, ">"),
		 uri + 1);
	return request(f, &d, "ACK", 1, "") && request(f, &d, "BYE", 2, "") &&
	       get_final(f);
}

static const struct mode modes[] = {
	{ "handshakes", run_handshake, false },
	{ "options", run_options, true },
	{ "calls", run_call, true },
	{ "new-options", run_options, false },
	{ "new-calls", run_call, false },
};

/* --- load */

static void complain(const struct flow *f)
{
	static _Atomic bool said;

	if (!said) {
		said = true;
		fprintf(stderr, "sip-load: %s: %.*s\n", mode->name,
			(int)strcspn(f->in, "\r"), f->have ? f->in : "");
	}
}

static void *client_run(void *arg)
{
	struct client *c = arg;
	struct flow f = { 0 };

	client_number = c->number;
	while (client_now() < deadline) {
		if (!f.ssl && !flow_open(&f, c->number)) {
			c->failed++;
			continue;
		}
		if (mode->run(&f)) {
			c->done++;
		} else {
			c->failed++;
			complain(&f);
			flow_close(&f);
		}
		if (!mode->stands)
			flow_close(&f);
	}
	flow_close(&f);
	return NULL;
}

static int load(unsigned threads, double seconds)
{
	static struct client clients[THREADS_MAX];
	unsigned long done = 0, failed = 0;
	double start = client_now();

	if (threads < 1 || threads > THREADS_MAX || seconds <= 0 ||
	    seconds > SECONDS_MAX)
		return usage();
	deadline = start + seconds;
	for (unsigned i = 0; i < threads; i++) {
		clients[i].number = i;
		if (pthread_create(&clients[i].thread, NULL, client_run,
				   &clients[i]) != 0)
			return 1;
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(clients[i].thread, NULL);
		done += clients[i].done;
		failed += clients[i].failed;
	}
	seconds = client_now() - start;
	printf("{\"done\": %lu, \"failed\": %lu, \"seconds\": %.3f, "
	       "\"rate\": %.1f}\n",
	       done, failed, seconds, (double)done / seconds);
	return done ? 0 : 1;
}

/* One line for the number of flows, another one for those that still answer.
 * Each has said something once, so that the service knows it as a flow. */
static int hold(unsigned count)
{
	static SSL *held[HOLD_MAX];
	static struct flow f;
	unsigned n = 0, stood = 0;

	if (count < 1 || count > HOLD_MAX)
		return usage();
	SSL_CTX_set_mode(client_context, SSL_MODE_RELEASE_BUFFERS);
	while (n < count && flow_open(&f, n / HOLD_PER_ADDRESS) &&
	       run_handshake(&f))
		held[n++] = f.ssl;
	printf("{\"held\": %u}\n", n);
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (unsigned i = 0; i < n; i++) {
		f.ssl = held[i];
		f.have = f.used = 0;
		stood += run_handshake(&f);
		client_close(held[i]);
	}
	printf("{\"stood\": %u}\n", stood);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4 || !client_set_up(argv[2]))
		return usage();
	port = argv[2];
	if (!strcmp(argv[1], "hold") && argc == 4)
		return hold((unsigned)atoi(argv[3]));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			mode = &modes[i];
	if (!mode || argc != 5)
		return usage();
	return load((unsigned)atoi(argv[3]), atof(argv[4]));
}
