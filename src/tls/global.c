/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/memory.h>

/* What wolfSSL sets up once, and the memory it asks for.
 *
 * Debian's build keeps 37 KiB for the certificate chains of the peer in each
 * session object, zeroed and mostly unused. Such a block is put on pages of its
 * own, so that an idle connection can hand back the pages that are all zero;
 * the kernel gives zeros again when they are touched. */

enum { PAGE = 4096, ROOMY_BLOCK = 32 * 1024 };

static _Thread_local bool watching;
static _Thread_local void *noted;
static _Thread_local size_t noted_size;

static pthread_key_t thread_key;

static void *allocate(size_t n)
{
	void *p;

	if (n < ROOMY_BLOCK)
		return malloc(n);
	n = (n + PAGE - 1) / PAGE * PAGE;
	p = aligned_alloc(PAGE, n);
	if (watching && !noted) {
		noted = p;
		noted_size = n;
	}
	return p;
}

void tls_roomy_begin(void)
{
	watching = true;
	noted = NULL;
	noted_size = 0;
}

void *tls_roomy_end(size_t *size_out)
{
	watching = false;
	*size_out = noted_size;
	return noted;
}

static bool page_is_zero(const uint8_t *page)
{
	return page[0] == 0 && !memcmp(page, page + 1, PAGE - 1);
}

void tls_roomy_release(void *block, size_t size)
{
	uint8_t *p = block;
	size_t at = 0;

	while (at + PAGE <= size) {
		size_t run = 0;

		while (at + run + PAGE <= size && page_is_zero(p + at + run))
			run += PAGE;
		if (run)
			(void)madvise(p + at, run, MADV_DONTNEED);
		at += run + PAGE;
	}
}

/* wolfSSL keeps tables of multiples of curve points per thread. */
static void thread_leaves(void *unused)
{
	(void)unused;
	wc_ecc_fp_free();
}

void tls_thread_enter(void)
{
	if (!pthread_getspecific(thread_key))
		(void)pthread_setspecific(thread_key, &thread_key);
}

int tls_global_init(struct error *e)
{
	int rc = pthread_key_create(&thread_key, thread_leaves);

	if (rc != 0)
		return error_set_native(e, ERR_INTERNAL, rc,
					"pthread_key_create failed");
	if (wolfSSL_SetAllocators(allocate, free, realloc) != 0 ||
	    wolfSSL_Init() != WOLFSSL_SUCCESS) {
		pthread_key_delete(thread_key);
		return error_set(e, ERR_TLS, "wolfSSL cannot be initialised");
	}
	return 0;
}

void tls_global_cleanup(void)
{
	wc_ecc_fp_free();
	(void)wolfSSL_Cleanup();
	pthread_key_delete(thread_key);
}
