/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "base/clock.h"
#include "base/secret.h"

/* Session tickets (RFC 5077, RFC 8446 4.6.1): what wolfSSL puts into one is
 * encrypted by AES-256-GCM under a key that lives an hour for writing and one
 * more for reading, in memory only. */

enum { NAME_SIZE = WOLFSSL_TICKET_NAME_SZ, KEY_SIZE = 32 };
enum { IV_SIZE = 12, TAG_SIZE = 16 };
enum { KEY_LIFE_S = 3600 };

struct ticket_key {
	uint8_t name[NAME_SIZE];
	uint8_t key[KEY_SIZE];
	time_t made;
};

struct ticket_keys {
	pthread_mutex_t lock;
	struct ticket_key current, previous;
};

static void key_make(struct ticket_key *k, time_t now)
{
	random_bytes(k->name, sizeof(k->name));
	random_bytes(k->key, sizeof(k->key));
	k->made = now;
}

/* A key that was made in the future is the mark of a clock that went back: its
 * age is not known, so it has none left. */
static bool key_alive(const struct ticket_key *k, time_t now, time_t life)
{
	return now >= k->made && now - k->made < life;
}

/* Locked. */
static void keys_age(struct ticket_keys *k, time_t now)
{
	if (!key_alive(&k->current, now, KEY_LIFE_S)) {
		k->previous = k->current;
		key_make(&k->current, now);
	}
	if (!key_alive(&k->previous, now, 2 * KEY_LIFE_S))
		key_make(&k->previous, now);
}

struct ticket_keys *ticket_keys_new(struct error *e)
{
	struct ticket_keys *k = calloc(1, sizeof(*k));

	if (!k) {
		error_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&k->lock, NULL);
	ticket_keys_rotate(k);
	return k;
}

void ticket_keys_free(struct ticket_keys *k)
{
	if (!k)
		return;
	pthread_mutex_destroy(&k->lock);
	secret_wipe(k, sizeof(*k));
	free(k);
}

void ticket_keys_rotate(struct ticket_keys *k)
{
	time_t now = clock_now();

	pthread_mutex_lock(&k->lock);
	key_make(&k->current, now);
	key_make(&k->previous, now);
	pthread_mutex_unlock(&k->lock);
}

static struct ticket_key writing_key(struct ticket_keys *k)
{
	struct ticket_key copy;

	pthread_mutex_lock(&k->lock);
	keys_age(k, clock_now());
	copy = k->current;
	pthread_mutex_unlock(&k->lock);
	return copy;
}

/* WOLFSSL_TICKET_RET_OK, _CREATE when it is the key before, or _REJECT. */
static int reading_key(struct ticket_keys *k, const uint8_t *name,
		       struct ticket_key *out)
{
	int rc = WOLFSSL_TICKET_RET_REJECT;

	pthread_mutex_lock(&k->lock);
	keys_age(k, clock_now());
	if (!memcmp(name, k->current.name, NAME_SIZE)) {
		*out = k->current;
		rc = WOLFSSL_TICKET_RET_OK;
	} else if (!memcmp(name, k->previous.name, NAME_SIZE)) {
		*out = k->previous;
		rc = WOLFSSL_TICKET_RET_CREATE;
	}
	pthread_mutex_unlock(&k->lock);
	return rc;
}

static int ticket_write(struct ticket_keys *k, uint8_t *name, uint8_t *iv,
			uint8_t *mac, uint8_t *text, word32 size)
{
	struct ticket_key key = writing_key(k);
	int rc = WOLFSSL_TICKET_RET_FATAL;
	Aes aes;

	memcpy(name, key.name, NAME_SIZE);
	random_bytes(iv, WOLFSSL_TICKET_IV_SZ);
	memset(mac, 0, WOLFSSL_TICKET_MAC_SZ);
	if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0)
		goto out;
	if (wc_AesGcmSetKey(&aes, key.key, KEY_SIZE) == 0 &&
	    wc_AesGcmEncrypt(&aes, text, text, size, iv, IV_SIZE, mac, TAG_SIZE,
			     name, NAME_SIZE) == 0)
		rc = WOLFSSL_TICKET_RET_OK;
	wc_AesFree(&aes);
	secret_wipe(&aes, sizeof(aes));
out:
	secret_wipe(&key, sizeof(key));
	return rc;
}

static int ticket_read(struct ticket_keys *k, const uint8_t *name,
		       const uint8_t *iv, const uint8_t *mac, uint8_t *text,
		       word32 size)
{
	struct ticket_key key;
	int rc = reading_key(k, name, &key);
	Aes aes;

	if (rc == WOLFSSL_TICKET_RET_REJECT)
		return rc;
	if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0) {
		rc = WOLFSSL_TICKET_RET_REJECT;
		goto out;
	}
	if (wc_AesGcmSetKey(&aes, key.key, KEY_SIZE) != 0 ||
	    wc_AesGcmDecrypt(&aes, text, text, size, iv, IV_SIZE, mac, TAG_SIZE,
			     name, NAME_SIZE) != 0)
		rc = WOLFSSL_TICKET_RET_REJECT;
	wc_AesFree(&aes);
	secret_wipe(&aes, sizeof(aes));
out:
	secret_wipe(&key, sizeof(key));
	return rc;
}

static int on_ticket(WOLFSSL *ssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
		     unsigned char iv[WOLFSSL_TICKET_IV_SZ],
		     unsigned char mac[WOLFSSL_TICKET_MAC_SZ], int encrypt,
		     unsigned char *text, int size, int *size_out, void *arg)
{
	(void)ssl;
	*size_out = size;
	if (encrypt)
		return ticket_write(arg, name, iv, mac, text, (word32)size);
	return ticket_read(arg, name, iv, mac, text, (word32)size);
}

void tls_tickets_set_context(WOLFSSL_CTX *ctx, struct ticket_keys *k,
			     unsigned lifetime_s)
{
	/* Without a callback of ours wolfSSL would use keys of its own. */
	wolfSSL_CTX_set_TicketEncCb(ctx, k ? on_ticket : NULL);
	if (!k) {
		wolfSSL_CTX_no_ticket_TLSv13(ctx);
		wolfSSL_CTX_NoTicketTLSv12(ctx);
		return;
	}
	wolfSSL_CTX_set_TicketEncCtx(ctx, k);
	wolfSSL_CTX_set_TicketHint(ctx, (int)lifetime_s);
	wolfSSL_CTX_set_timeout(ctx, lifetime_s);
	wolfSSL_CTX_set_num_tickets(ctx, 1);
}
