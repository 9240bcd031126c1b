/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Load on a TLS server of this machine: many clients that each open a
 * connection, do one exchange and close it, again and again for a while.
 * OpenSSL's libssl, which the service itself never links, so that every server
 * measured meets the same client. TLS 1.3, no resumption, nothing verified.
 *
 *	load get PORT PATH THREADS SECONDS     GET of a page each
 *	load echo PORT BYTES THREADS SECONDS   BYTES sent and read back each
 *	     [CERTIFICATE KEY]                 with a certificate of its own
 *	load hold PORT COUNT                   COUNT idle connections until the
 *	                                       end of the standard input
 *	load first PORT MILLISECONDS           try until one handshake is done
 *
 * Prints one line of JSON. Clients come from 127.0.0.2 and up: one address has
 * too few ports for all that close within a minute, and servers limit what one
 * address may open. */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/client.h"

enum { THREADS_MAX = 64, HOLD_MAX = 5000, HOLD_PER_ADDRESS = 50 };
enum { ECHO_MAX = 16384, SECONDS_MAX = 60 };

static char request[1024];
static size_t request_size, reply_size; /* of one exchange */
static double deadline;

struct client {
	pthread_t thread;
	unsigned number;
	bool (*exchange)(SSL *ssl);
	unsigned long done, failed, resumed;
};

static int usage(void)
{
	fprintf(stderr, "usage: load get PORT PATH THREADS SECONDS\n"
			"       load echo PORT BYTES THREADS SECONDS"
			" [CERTIFICATE KEY]\n"
			"       load hold PORT COUNT\n"
			"       load first PORT MILLISECONDS\n");
	return 2;
}

/* Answer read to the end of the body that its head announces. */
static bool exchange_get(SSL *ssl)
{
	char reply[16384 + 1];
	size_t have = 0, length;
	const char *body, *field;

	if (SSL_write(ssl, request, (int)request_size) <= 0)
		return false;
	while (have < sizeof(reply) - 1) {
		int n = SSL_read(ssl, reply + have,
				 (int)(sizeof(reply) - 1 - have));

		if (n <= 0)
			return false;
		have += (size_t)n;
		reply[have] = '\0';
		body = strstr(reply, "\r\n\r\n");
		field = strcasestr(reply, "\r\ncontent-length:");
		if (!body || !field || field > body)
			continue;
		length = strtoul(field + 17, NULL, 10);
		if (have >= (size_t)(body + 4 - reply) + length) {
			reply_size = length;
			return !strncmp(reply, "HTTP/1.1 200", 12);
		}
	}
	return false;
}

static bool exchange_echo(SSL *ssl)
{
	char reply[ECHO_MAX];
	size_t have = 0;

	if (SSL_write(ssl, request, (int)request_size) <= 0)
		return false;
	while (have < request_size) {
		int n = SSL_read(ssl, reply + have, (int)(request_size - have));

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return !memcmp(reply, request, request_size);
}

static void *client_run(void *arg)
{
	struct client *c = arg;

	while (client_now() < deadline) {
		SSL *ssl = client_open(c->number);

		if (!ssl) {
			c->failed++;
			continue;
		}
		if (SSL_session_reused(ssl))
			c->resumed++;
		if (c->exchange(ssl))
			c->done++;
		else
			c->failed++;
		client_close(ssl);
	}
	return NULL;
}

static int load(bool (*exchange)(SSL *ssl), unsigned threads, double seconds)
{
	static struct client clients[THREADS_MAX];
	unsigned long done = 0, failed = 0, resumed = 0;
	double start = client_now();

	if (threads < 1 || threads > THREADS_MAX || seconds <= 0 ||
	    seconds > SECONDS_MAX)
		return usage();
	deadline = start + seconds;
	for (unsigned i = 0; i < threads; i++) {
		clients[i].number = i;
		clients[i].exchange = exchange;
		if (pthread_create(&clients[i].thread, NULL, client_run,
				   &clients[i]) != 0)
			return 1;
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(clients[i].thread, NULL);
		done += clients[i].done;
		failed += clients[i].failed;
		resumed += clients[i].resumed;
	}
	seconds = client_now() - start;
	printf("{\"done\": %lu, \"failed\": %lu, \"resumed\": %lu, "
	       "\"seconds\": %.3f, \"rate\": %.1f, \"bytes\": %zu}\n",
	       done, failed, resumed, seconds, (double)done / seconds,
	       reply_size);
	return done && !resumed ? 0 : 1;
}

static int hold(unsigned count)
{
	static SSL *held[HOLD_MAX];
	unsigned n = 0;

	if (count < 1 || count > HOLD_MAX)
		return usage();
	while (n < count && (held[n] = client_open(n / HOLD_PER_ADDRESS)))
		n++;
	printf("{\"held\": %u}\n", n);
	fflush(stdout);
	while (getchar() != EOF)
		;
	while (n > 0)
		client_close(held[--n]);
	return 0;
}

static int first(double milliseconds)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	double end = client_now() + milliseconds / 1e3;

	while (client_now() < end) {
		SSL *ssl = client_open(0);

		if (ssl) {
			printf("{\"at\": %.6f}\n", client_now());
			client_close(ssl);
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "load: no handshake in time\n");
	return 1;
}

static bool identify(const char *certificate, const char *key)
{
	return SSL_CTX_use_certificate_chain_file(client_context,
						  certificate) == 1 &&
	       SSL_CTX_use_PrivateKey_file(client_context, key,
					   SSL_FILETYPE_PEM) == 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (argc < 4 || !client_set_up(argv[2]))
		return usage();
	if (!strcmp(mode, "get") && argc == 6) {
		request_size = (size_t)snprintf(request, sizeof(request),
						"GET %s HTTP/1.1\r\n"
						"Host: localhost\r\n"
						"Connection: close\r\n\r\n",
						argv[3]);
		if (request_size >= sizeof(request))
			return usage();
		return load(exchange_get, (unsigned)atoi(argv[4]),
			    atof(argv[5]));
	}
	if (!strcmp(mode, "echo") && argc == 8 && !identify(argv[6], argv[7]))
		return usage();
	if (!strcmp(mode, "echo") && (argc == 6 || argc == 8)) {
		request_size = strtoul(argv[3], NULL, 10);
		if (request_size < 1 || request_size > sizeof(request))
			return usage();
		memset(request, 'e', request_size);
		return load(exchange_echo, (unsigned)atoi(argv[4]),
			    atof(argv[5]));
	}
	if (!strcmp(mode, "hold") && argc == 4)
		return hold((unsigned)atoi(argv[3]));
	if (!strcmp(mode, "first") && argc == 4)
		return first(atof(argv[3]));
	return usage();
}
