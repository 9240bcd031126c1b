/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

enum { RECEIVE_TIMEOUT_S = 10 };

SSL_CTX *client_context;
static struct sockaddr_in server;

double client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A connected socket from 127.0.0.2 + number; -1 with errno. */
static int tcp_open(unsigned number)
{
	const struct timeval limit = { .tv_sec = RECEIVE_TIMEOUT_S };
	const struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (const struct sockaddr *)&server, sizeof(server)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

SSL *client_open(unsigned number)
{
	int fd = tcp_open(number);
	SSL *ssl;

	if (fd < 0)
		return NULL;
	ssl = SSL_new(client_context);
	if (ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		return ssl;
	ERR_clear_error();
	SSL_free(ssl);
	close(fd);
	return NULL;
}

void client_close(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

bool client_set_up(const char *port)
{
	signal(SIGPIPE, SIG_IGN);
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)atoi(port));
	client_context = SSL_CTX_new(TLS_client_method());
	if (!client_context ||
	    SSL_CTX_set_min_proto_version(client_context, TLS1_3_VERSION) != 1)
		return false;
	SSL_CTX_set_verify(client_context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(client_context, SSL_SESS_CACHE_OFF);
	return true;
}
