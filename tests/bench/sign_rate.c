/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Raw signatures of a token, without anything of ours around them: the limit of
 * what any server on it can reach.
 *
 *	sign-rate MODULE TOKEN PIN-FILE LABEL rsa|ec THREADS SECONDS
 *
 * Each thread signs with a session of its own and the private key of that
 * label, as TLS 1.3 has it: RSA-PSS or ECDSA with SHA-256. One line of JSON. */

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

enum { THREADS_MAX = 64, SLOTS_MAX = 32, SECONDS_MAX = 60 };

static CK_FUNCTION_LIST *p11;
static CK_SLOT_ID slot;
static const char *label;
static bool rsa;
static double deadline;

struct worker {
	pthread_t thread;
	unsigned long done;
	CK_RV rv;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static CK_RV find_slot(const char *token)
{
	CK_SLOT_ID ids[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	size_t size = strlen(token);
	CK_RV rv = p11->C_GetSlotList(CK_TRUE, ids, &n);

	for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++) {
		CK_TOKEN_INFO info;

		rv = p11->C_GetTokenInfo(ids[i], &info);
		if (rv == CKR_OK && size < sizeof(info.label) &&
		    !memcmp(info.label, token, size) &&
		    info.label[size] == ' ') {
			slot = ids[i];
			return CKR_OK;
		}
	}
	return rv == CKR_OK ? CKR_TOKEN_NOT_PRESENT : rv;
}

static CK_RV find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_LABEL, strdup(label), strlen(label) },
	};
	CK_ULONG n = 0;
	CK_RV rv = p11->C_FindObjectsInit(session, wanted, 2);

	if (rv == CKR_OK)
		rv = p11->C_FindObjects(session, key, 1, &n);
	if (rv == CKR_OK)
		rv = p11->C_FindObjectsFinal(session);
	free(wanted[1].pValue);
	return rv == CKR_OK && n != 1 ? CKR_KEY_HANDLE_INVALID : rv;
}

static CK_RV sign_once(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_RSA_PKCS_PSS_PARAMS pss = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
	CK_MECHANISM mechanism = { CKM_ECDSA, NULL, 0 };
	CK_BYTE digest[32] = { 1 }, signature[512];
	CK_ULONG n = sizeof(signature);
	CK_RV rv;

	if (rsa)
		mechanism =
		    (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &pss, sizeof(pss) };
	rv = p11->C_SignInit(session, &mechanism, key);
	if (rv != CKR_OK)
		return rv;
	return p11->C_Sign(session, digest, sizeof(digest), signature, &n);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	w->rv =
	    p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
	if (w->rv != CKR_OK)
		return NULL;
	w->rv = find_key(session, &key);
	while (w->rv == CKR_OK && now() < deadline) {
		w->rv = sign_once(session, key);
		w->done += w->rv == CKR_OK;
	}
	p11->C_CloseSession(session);
	return NULL;
}

static CK_RV run(unsigned threads, double seconds)
{
	static struct worker workers[THREADS_MAX];
	unsigned long done = 0;
	double start = now();
	CK_RV rv = CKR_OK;

	deadline = start + seconds;
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&workers[i].thread, NULL, worker_run,
				   &workers[i]) != 0)
			return CKR_HOST_MEMORY;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
		if (workers[i].rv != CKR_OK)
			rv = workers[i].rv;
	}
	seconds = now() - start;
	printf("{\"done\": %lu, \"seconds\": %.3f, \"rate\": %.1f}\n", done,
	       seconds, (double)done / seconds);
	return rv;
}

static CK_RV log_in(const char *token, const char *pin_file,
		    CK_SESSION_HANDLE *session)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	char pin[256] = "";
	FILE *f = fopen(pin_file, "re");
	CK_RV rv;

	if (!f || !fgets(pin, sizeof(pin), f)) {
		perror(pin_file);
		exit(1);
	}
	fclose(f);
	pin[strcspn(pin, "\r\n")] = '\0';
	rv = p11->C_Initialize(&args);
	if (rv == CKR_OK)
		rv = find_slot(token);
	if (rv == CKR_OK)
		rv = p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
					session);
	if (rv == CKR_OK)
		rv = p11->C_Login(*session, CKU_USER, (CK_UTF8CHAR *)pin,
				  strlen(pin));
	return rv;
}

int main(int argc, char **argv)
{
	CK_C_GetFunctionList get_list;
	CK_SESSION_HANDLE session;
	void *module;
	CK_RV rv;

	if (argc != 8 || atoi(argv[6]) < 1 || atoi(argv[6]) > THREADS_MAX ||
	    atof(argv[7]) > SECONDS_MAX) {
		fprintf(stderr, "usage: sign-rate MODULE TOKEN PIN-FILE LABEL "
				"rsa|ec THREADS SECONDS\n");
		return 2;
	}
	label = argv[4];
	rsa = !strcmp(argv[5], "rsa");
	module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!module) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&get_list = dlsym(module, "C_GetFunctionList");
	if (!get_list || get_list(&p11) != CKR_OK) {
		fprintf(stderr, "%s: no PKCS#11 module\n", argv[1]);
		return 1;
	}
	rv = log_in(argv[2], argv[3], &session);
	if (rv == CKR_OK)
		rv = run((unsigned)atoi(argv[6]), atof(argv[7]));
	p11->C_Finalize(NULL);
	if (rv != CKR_OK)
		fprintf(stderr, "sign-rate: CKR 0x%lx\n", rv);
	return rv == CKR_OK ? 0 : 1;
}
