/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth/password_hash.h"

#include <crypt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password_rules.h"
#include "base/secret.h"

#define METHOD "$y$"
enum { COST = 5 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t free;
	unsigned running, waiting;
} slots = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static int slot_take(struct error *e)
{
	int rc = 0;

	pthread_mutex_lock(&slots.lock);
	if (slots.running >= PASSWORD_HASHES_AT_ONCE &&
	    slots.waiting >= PASSWORD_HASHES_WAITING) {
		rc = error_set(e, ERR_LIMIT, "too many passwords at once");
	} else {
		slots.waiting++;
		while (slots.running >= PASSWORD_HASHES_AT_ONCE)
			pthread_cond_wait(&slots.free, &slots.lock);
		slots.waiting--;
		slots.running++;
	}
	pthread_mutex_unlock(&slots.lock);
	return rc;
}

static void slot_give(void)
{
	pthread_mutex_lock(&slots.lock);
	slots.running--;
	pthread_cond_signal(&slots.free);
	pthread_mutex_unlock(&slots.lock);
}

/* crypt(3) of at most PASSWORD_BYTES_MAX bytes, with everything wiped. */
static int compute(struct view password, const char *setting,
		   char out[PASSWORD_HASH_SIZE], struct error *e)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char phrase[PASSWORD_BYTES_MAX + 1] = { 0 };
	const char *hash;
	int rc = 0;

	if (!data)
		return error_nomem(e);
	if (slot_take(e) < 0) {
		free(data);
		return -1;
	}
	if (password.len)
		memcpy(phrase, password.ptr, password.len);
	hash = crypt_rn(phrase, setting, data, sizeof(*data));
	slot_give();
	if (!hash || hash[0] == '*' || strlen(hash) >= PASSWORD_HASH_SIZE)
		rc = error_set(e, ERR_INTERNAL,
			       "crypt(3) cannot compute this hash");
	else
		memcpy(out, hash, strlen(hash) + 1);
	secret_wipe(phrase, sizeof(phrase));
	secret_wipe(data, sizeof(*data));
	free(data);
	return rc;
}

static bool usable(struct view password)
{
	return password.len <= PASSWORD_BYTES_MAX &&
	       (!password.len || !memchr(password.ptr, 0, password.len));
}

int password_hash(struct view password, char out[PASSWORD_HASH_SIZE],
		  struct error *e)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], random[16];

	if (!usable(password) || !password.len)
		return error_set(e, ERR_INPUT, "not a password");
	random_bytes(random, sizeof(random));
	if (!crypt_gensalt_rn(METHOD, COST, random, sizeof(random), setting,
			      sizeof(setting)))
		return error_set(e, ERR_INTERNAL, "crypt(3) has no yescrypt");
	return compute(password, setting, out, e);
}

static bool same_text(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char differ = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

int password_verify(struct view password, const char *hash, bool *right_out,
		    struct error *e)
{
	struct view tried = usable(password) ? password : view_of(NULL, 0);
	char got[PASSWORD_HASH_SIZE];

	*right_out = false;
	if (compute(tried, hash, got, e) < 0)
		return -1;
	*right_out =
	    usable(password) && password.len > 0 && same_text(got, hash);
	secret_wipe(got, sizeof(got));
	return 0;
}
