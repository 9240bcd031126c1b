/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sip/sip_credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct sip_credentials {
	struct store *store;
	pthread_mutex_t changing; /* one at a time, store and copy alike */
	pthread_mutex_t lock;     /* of password; never held for long */
	struct secret password;
	unsigned version;
};

struct sip_credentials *sip_credentials_new(struct store *s, struct error *e)
{
	struct sip_credentials *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(e);
		return NULL;
	}
	c->store = s;
	pthread_mutex_init(&c->changing, NULL);
	pthread_mutex_init(&c->lock, NULL);
	if (sip_password_get(s, &c->password, e) == 0)
		return c;
	sip_credentials_free(c);
	return NULL;
}

void sip_credentials_free(struct sip_credentials *c)
{
	if (!c)
		return;
	secret_free(&c->password);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->changing);
	free(c);
}

static int copy(struct secret *out, const void *p, size_t n, struct error *e)
{
	memset(out, 0, sizeof(*out));
	return n ? secret_copy(out, view_of(p, n), e) : 0;
}

int sip_credentials_check(const char *password, struct error *e)
{
	if (strlen(password) > SIP_PASSWORD_MAX)
		return error_set(e, ERR_INPUT, "longer than %d bytes",
				 SIP_PASSWORD_MAX);
	if (!utf8_is_plain(view_str(password)))
		return error_set(e, ERR_INPUT,
				 "it has control characters, or is no text");
	return 0;
}

int sip_credentials_set(struct sip_credentials *c, const char *password,
			struct error *e)
{
	struct secret wanted, former;

	if (sip_credentials_check(password, e) < 0)
		return -1;
	if (copy(&wanted, password, strlen(password), e) < 0)
		return -1;
	pthread_mutex_lock(&c->changing);
	if (sip_password_set(c->store, password, e) < 0) {
		pthread_mutex_unlock(&c->changing);
		secret_free(&wanted);
		return -1;
	}
	pthread_mutex_lock(&c->lock);
	former = c->password;
	c->password = wanted;
	c->version++;
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&c->changing);
	secret_free(&former);
	return 0;
}

int sip_credentials_get(struct sip_credentials *c, struct secret *out,
			struct error *e)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = copy(out, c->password.ptr, c->password.len, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

bool sip_credentials_given(struct sip_credentials *c)
{
	bool given;

	pthread_mutex_lock(&c->lock);
	given = c->password.len != 0;
	pthread_mutex_unlock(&c->lock);
	return given;
}

unsigned sip_credentials_version(struct sip_credentials *c)
{
	unsigned version;

	pthread_mutex_lock(&c->lock);
	version = c->version;
	pthread_mutex_unlock(&c->lock);
	return version;
}
