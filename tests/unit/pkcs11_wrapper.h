/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_UNIT_PKCS11_WRAPPER_H
#define SB_TESTS_UNIT_PKCS11_WRAPPER_H

#include <stdatomic.h>

/* pkcs11-wrapper.so is SoftHSM with knobs: a token that counts, refuses, fails
 * or takes its time on demand. */

struct wrapper_knobs {
	atomic_int logins;          /* counted calls of C_Login */
	atomic_int initializations; /* of C_Initialize */
	atomic_int sign_delay_ms;
	atomic_int signing;    /* calls of C_Sign that take their time now */
	atomic_int fail_signs; /* so many C_Sign give fail_with */
	atomic_ulong fail_with;
	atomic_int refuse_private; /* C_CreateObject of private keys */
	atomic_int refuse_secret;  /* ... of secret keys */
	atomic_int refuse_unwrap;  /* C_UnwrapKey altogether */
	atomic_int refuse_data;    /* C_CreateObject of data objects */
	atomic_int refuse_copy;    /* C_CopyObject */
	atomic_int naked_copy;     /* session copies claim to be extractable */
	atomic_int refuse_pss;     /* C_SignInit with CKM_RSA_PKCS_PSS */
	atomic_int sessions_max;   /* CKR_SESSION_COUNT beyond; 0: no limit */
	atomic_int sessions_open;
	atomic_int forget_session; /* C_GetSessionInfo says invalid, once */
	atomic_int copies;         /* session copies alive */
};

/* The path of the module, beside the test program. */
const char *wrapper_path(void);
/* The knobs of the loaded module, all reset. It stays loaded. */
struct wrapper_knobs *wrapper_load(void);

#endif
