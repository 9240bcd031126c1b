/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pkcs11_wrapper.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

#include "tests/lib/test_token.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT struct wrapper_knobs wrapper_knobs;
EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;
static struct wrapper_knobs *const k = &wrapper_knobs;

static CK_OBJECT_CLASS class_of(const CK_ATTRIBUTE *a, CK_ULONG n)
{
	for (CK_ULONG i = 0; i < n; i++)
		if (a[i].type == CKA_CLASS)
			return *(const CK_OBJECT_CLASS *)a[i].pValue;
	return (CK_OBJECT_CLASS)-1;
}

static CK_RV my_initialize(void *args)
{
	atomic_fetch_add(&k->initializations, 1);
	atomic_store(&k->sessions_open, 0);
	atomic_store(&k->copies, 0);
	return real->C_Initialize(args);
}

static CK_RV my_login(CK_SESSION_HANDLE h, CK_USER_TYPE user, CK_UTF8CHAR *pin,
		      CK_ULONG n)
{
	atomic_fetch_add(&k->logins, 1);
	return real->C_Login(h, user, pin, n);
}

static CK_RV my_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg,
			     CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
	int max = atomic_load(&k->sessions_max);
	CK_RV rv;

	if (max && atomic_load(&k->sessions_open) >= max)
		return CKR_SESSION_COUNT;
	rv = real->C_OpenSession(slot, flags, arg, notify, out);
	if (rv == CKR_OK)
		atomic_fetch_add(&k->sessions_open, 1);
	return rv;
}

static CK_RV my_close_session(CK_SESSION_HANDLE h)
{
	atomic_fetch_sub(&k->sessions_open, 1);
	return real->C_CloseSession(h);
}

static CK_RV my_sign_init(CK_SESSION_HANDLE h, CK_MECHANISM *m,
			  CK_OBJECT_HANDLE key)
{
	if (atomic_load(&k->refuse_pss) && m->mechanism == CKM_RSA_PKCS_PSS)
		return CKR_MECHANISM_PARAM_INVALID;
	return real->C_SignInit(h, m, key);
}

static CK_RV my_sign(CK_SESSION_HANDLE h, CK_BYTE *in, CK_ULONG in_len,
		     CK_BYTE *out, CK_ULONG *out_len)
{
	int ms = atomic_load(&k->sign_delay_ms);
	struct timespec nap = { ms / 1000, (long)(ms % 1000) * 1000000L };
	CK_RV rv;

	if (ms) {
		atomic_fetch_add(&k->signing, 1);
		nanosleep(&nap, NULL);
		atomic_fetch_sub(&k->signing, 1);
	}
	rv = real->C_Sign(h, in, in_len, out, out_len);
	if (atomic_load(&k->fail_signs) > 0) {
		atomic_fetch_sub(&k->fail_signs, 1);
		return atomic_load(&k->fail_with);
	}
	return rv;
}

static CK_RV my_create(CK_SESSION_HANDLE h, CK_ATTRIBUTE *a, CK_ULONG n,
		       CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_CLASS class = class_of(a, n);

	if ((class == CKO_PRIVATE_KEY && atomic_load(&k->refuse_private)) ||
	    (class == CKO_SECRET_KEY && atomic_load(&k->refuse_secret)))
		return CKR_TEMPLATE_INCONSISTENT;
	if (class == CKO_DATA && atomic_load(&k->refuse_data))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return real->C_CreateObject(h, a, n, out);
}

static CK_RV my_unwrap(CK_SESSION_HANDLE h, CK_MECHANISM *m,
		       CK_OBJECT_HANDLE key, CK_BYTE *wrapped, CK_ULONG n,
		       CK_ATTRIBUTE *a, CK_ULONG a_n, CK_OBJECT_HANDLE *out)
{
	if (atomic_load(&k->refuse_unwrap))
		return CKR_FUNCTION_NOT_SUPPORTED;
	return real->C_UnwrapKey(h, m, key, wrapped, n, a, a_n, out);
}

static CK_RV my_copy(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a,
		     CK_ULONG n, CK_OBJECT_HANDLE *out)
{
	CK_RV rv;

	if (atomic_load(&k->refuse_copy))
		return CKR_FUNCTION_NOT_SUPPORTED;
	rv = real->C_CopyObject(h, o, a, n, out);
	if (rv == CKR_OK)
		atomic_fetch_add(&k->copies, 1);
	return rv;
}

static bool is_session_object(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o)
{
	CK_OBJECT_CLASS class = 0;
	CK_BBOOL token = CK_TRUE;
	CK_ATTRIBUTE a[] = { { CKA_TOKEN, &token, sizeof(token) },
			     { CKA_CLASS, &class, sizeof(class) } };

	return real->C_GetAttributeValue(h, o, a, 2) == CKR_OK && !token &&
	       class == CKO_PRIVATE_KEY;
}

static CK_RV my_destroy(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o)
{
	bool copy = is_session_object(h, o);
	CK_RV rv = real->C_DestroyObject(h, o);

	if (rv == CKR_OK && copy)
		atomic_fetch_sub(&k->copies, 1);
	return rv;
}

static CK_RV my_get_attributes(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o,
			       CK_ATTRIBUTE *a, CK_ULONG n)
{
	CK_RV rv = real->C_GetAttributeValue(h, o, a, n);

	if (rv == CKR_OK && atomic_load(&k->naked_copy) &&
	    is_session_object(h, o))
		for (CK_ULONG i = 0; i < n; i++)
			if (a[i].type == CKA_EXTRACTABLE)
				*(CK_BBOOL *)a[i].pValue = CK_TRUE;
	return rv;
}

static CK_RV my_session_info(CK_SESSION_HANDLE h, CK_SESSION_INFO *out)
{
	if (atomic_load(&k->forget_session) > 0) {
		atomic_fetch_sub(&k->forget_session, 1);
		return CKR_SESSION_HANDLE_INVALID;
	}
	return real->C_GetSessionInfo(h, out);
}

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	CK_C_GetFunctionList get;
	void *module = dlopen(TEST_TOKEN_MODULE, RTLD_NOW | RTLD_LOCAL);

	if (!module)
		return CKR_GENERAL_ERROR;
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	if (!get || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	ours = *real;
	ours.C_Initialize = my_initialize;
	ours.C_Login = my_login;
	ours.C_OpenSession = my_open_session;
	ours.C_CloseSession = my_close_session;
	ours.C_SignInit = my_sign_init;
	ours.C_Sign = my_sign;
	ours.C_CreateObject = my_create;
	ours.C_UnwrapKey = my_unwrap;
	ours.C_CopyObject = my_copy;
	ours.C_DestroyObject = my_destroy;
	ours.C_GetAttributeValue = my_get_attributes;
	ours.C_GetSessionInfo = my_session_info;
	*list = &ours;
	return CKR_OK;
}
