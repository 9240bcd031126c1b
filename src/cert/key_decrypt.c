/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/key_decrypt.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "cert/text.h"

/* Most work that a file may ask for before its password is known to be wrong:
 * two or three seconds of PBKDF2; scrypt's N * r * p, and its N * r, which is
 * memory in units of 128 bytes and kept below libcrypto's own limit. */
enum { PBE_ITERATIONS_MAX = 1000000 };
enum { SCRYPT_WORK_MAX = 1 << 20, SCRYPT_MEMORY_MAX = 250000 };
enum { PASSWORD_MAX = 1024, CIPHER_NAME_MAX = 32 };

static int wrong_password(struct error *e)
{
	ERR_clear_error();
	return error_set(e, ERR_KEY_PASSWORD,
			 "the private key password is wrong "
			 "(or the file is damaged)");
}

static int check_password(struct view password, struct error *e)
{
	if (!password.len)
		return error_set(e, ERR_KEY_PASSWORD,
				 "the private key is encrypted: its password "
				 "is needed");
	if (password.len > PASSWORD_MAX)
		return error_set(e, ERR_KEY_PASSWORD,
				 "the private key password is longer than %d "
				 "bytes",
				 PASSWORD_MAX);
	return 0;
}

static int unsupported(struct error *e, const char *what)
{
	return error_set(e, ERR_KEY_UNSUPPORTED,
			 "the private key is encrypted with %s, which is not "
			 "supported; write it anew with openssl pkey -aes256",
			 what);
}

static int damaged(struct error *e, const char *what)
{
	ERR_clear_error();
	return error_set(e, ERR_KEY, "the private key is damaged: %s", what);
}

/* --- RFC 1421 ----------------------------------------------------------- */

struct dek {
	char cipher[CIPHER_NAME_MAX];
	uint8_t iv[EVP_MAX_IV_LENGTH];
	size_t iv_len;
};

/* "DEK-Info: DES-EDE3-CBC,0123456789ABCDEF" */
static int dek_read(struct view headers, struct dek *out)
{
	static const char word[] = "DEK-Info:";
	char line[128], *comma, *value;
	const uint8_t *p =
	    memmem(headers.ptr, headers.len, word, sizeof(word) - 1);
	size_t n = 0, left;
	int iv_len;

	if (!p)
		return -1;
	p += sizeof(word) - 1;
	left = headers.len - (size_t)(p - headers.ptr);
	while (n < left && p[n] != '\r' && p[n] != '\n')
		n++;
	if (n >= sizeof(line))
		return -1;
	memcpy(line, p, n);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	value = line + strspn(line, " \t");
	comma = strchr(value, ',');
	if (!comma || comma - value >= CIPHER_NAME_MAX)
		return -1;
	*comma = '\0';
	comma[1 + strcspn(comma + 1, " \t")] = '\0';
	iv_len = hex_decode(comma + 1, out->iv, sizeof(out->iv));
	if (iv_len < PKCS5_SALT_LEN || !text_is_plain(view_str(value)))
		return -1;
	snprintf(out->cipher, sizeof(out->cipher), "%s", value);
	out->iv_len = (size_t)iv_len;
	return 0;
}

static int decrypt(const EVP_CIPHER *cipher, const uint8_t *key,
		   const uint8_t *iv, struct view body, struct secret *out,
		   struct error *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0, rc = -1;

	if (!ctx) {
		error_nomem(e);
		goto out;
	}
	if (secret_alloc(out, body.len + EVP_MAX_BLOCK_LENGTH, e) < 0)
		goto out;
	if (!EVP_DecryptInit_ex2(ctx, cipher, key, iv, NULL) ||
	    !EVP_DecryptUpdate(ctx, out->ptr, &n, body.ptr, (int)body.len) ||
	    !EVP_DecryptFinal_ex(ctx, out->ptr + n, &rest)) {
		wrong_password(e);
		goto out;
	}
	out->len = (size_t)n + (size_t)rest;
	out->ptr[out->len] = '\0';
	rc = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	if (rc < 0)
		secret_free(out);
	return rc;
}

int key_decrypt_legacy(struct view headers, struct view body,
		       struct view password, struct secret *out,
		       struct error *e)
{
	uint8_t key[EVP_MAX_KEY_LENGTH];
	EVP_CIPHER *cipher = NULL;
	struct dek dek;
	int rc = -1;

	if (dek_read(headers, &dek) < 0)
		return damaged(e, "its DEK-Info line cannot be read");
	cipher = EVP_CIPHER_fetch(NULL, dek.cipher, NULL);
	if (!cipher || EVP_CIPHER_get_mode(cipher) != EVP_CIPH_CBC_MODE) {
		ERR_clear_error();
		rc = unsupported(e, dek.cipher);
	} else if (dek.iv_len != (size_t)EVP_CIPHER_get_iv_length(cipher)) {
		rc = damaged(e, "its DEK-Info line does not fit the cipher");
	} else if (body.len % (size_t)EVP_CIPHER_get_block_size(cipher)) {
		rc = damaged(e, "its length is not that of encrypted data");
	} else if (check_password(password, e) == 0) {
		if (!EVP_BytesToKey(cipher, EVP_md5(), dek.iv, password.ptr,
				    (int)password.len, 1, key, NULL))
			rc = text_libcrypto_error(e, ERR_INTERNAL,
						  "EVP_BytesToKey");
		else
			rc = decrypt(cipher, key, dek.iv, body, out, e);
		secret_wipe(key, sizeof(key));
	}
	EVP_CIPHER_free(cipher);
	return rc;
}

/* --- PKCS#8 ------------------------------------------------------------- */

static int check_iterations(const ASN1_INTEGER *iterations, struct error *e)
{
	uint64_t n = 0;

	if (!iterations || !ASN1_INTEGER_get_uint64(&n, iterations) || n == 0)
		return damaged(e, "its iteration count cannot be read");
	if (n > PBE_ITERATIONS_MAX)
		return error_set(e, ERR_LIMIT,
				 "the private key's encryption asks for more "
				 "than %d iterations",
				 PBE_ITERATIONS_MAX);
	return 0;
}

static int check_pbkdf2(const ASN1_TYPE *param, struct error *e)
{
	PBKDF2PARAM *p =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), param);
	int rc = p ? check_iterations(p->iter, e)
		   : damaged(e, "its PBKDF2 parameters cannot be read");

	PBKDF2PARAM_free(p);
	return rc;
}

static int check_scrypt(const ASN1_TYPE *param, struct error *e)
{
	SCRYPT_PARAMS *s =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), param);
	uint64_t n = 0, r = 0, p = 0;
	int rc = 0;

	if (!s || !ASN1_INTEGER_get_uint64(&n, s->costParameter) ||
	    !ASN1_INTEGER_get_uint64(&r, s->blockSize) ||
	    !ASN1_INTEGER_get_uint64(&p, s->parallelizationParameter) || !n ||
	    !r || !p)
		rc = damaged(e, "its scrypt parameters cannot be read");
	else if (n > SCRYPT_MEMORY_MAX || r > SCRYPT_MEMORY_MAX / n ||
		 p > SCRYPT_WORK_MAX / (n * r))
		rc = error_set(e, ERR_LIMIT,
			       "the private key's encryption asks for too much "
			       "work (scrypt N %llu, r %llu, p %llu)",
			       (unsigned long long)n, (unsigned long long)r,
			       (unsigned long long)p);
	SCRYPT_PARAMS_free(s);
	return rc;
}

static int check_pbes2(const ASN1_TYPE *param, struct error *e)
{
	static const int ciphers[] = { NID_des_ede3_cbc, NID_aes_128_cbc,
				       NID_aes_192_cbc, NID_aes_256_cbc };
	PBE2PARAM *p =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), param);
	int cipher, kdf, rc = -1;

	if (!p) {
		damaged(e, "its PBES2 parameters cannot be read");
		goto out;
	}
	cipher = OBJ_obj2nid(p->encryption->algorithm);
	kdf = OBJ_obj2nid(p->keyfunc->algorithm);
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(*ciphers); i++)
		if (cipher == ciphers[i])
			rc = 0;
	if (rc < 0) {
		unsupported(e, cipher ? OBJ_nid2sn(cipher) : "its cipher");
		goto out;
	}
	rc = kdf == NID_id_pbkdf2   ? check_pbkdf2(p->keyfunc->parameter, e)
	     : kdf == NID_id_scrypt ? check_scrypt(p->keyfunc->parameter, e)
				    : unsupported(e, "its key derivation");
out:
	PBE2PARAM_free(p);
	return rc;
}

static int check_pbes1(const ASN1_TYPE *param, struct error *e)
{
	PBEPARAM *p =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), param);
	int rc = p ? check_iterations(p->iter, e)
		   : damaged(e, "its PBES1 parameters cannot be read");

	PBEPARAM_free(p);
	return rc;
}

/* What the default provider of libcrypto can undo, in bounded time. */
static int check_scheme(const X509_ALGOR *alg, struct error *e)
{
	int scheme = OBJ_obj2nid(alg->algorithm);

	switch (scheme) {
	case NID_pbes2: return check_pbes2(alg->parameter, e);
	case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
	case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
		return check_pbes1(alg->parameter, e);
	default:
		return unsupported(e, scheme ? OBJ_nid2sn(scheme) : "a method");
	}
}

static int decrypt_sig(const X509_SIG *sig, struct view password,
		       struct secret *out, struct error *e)
{
	const X509_ALGOR *alg;
	const ASN1_OCTET_STRING *octets;
	unsigned char *plain = NULL;
	int n = 0, rc;

	X509_SIG_get0(sig, &alg, &octets);
	if (check_scheme(alg, e) < 0)
		return -1;
	/* Every accepted cipher has blocks of 8 or 16 bytes. */
	if (!ASN1_STRING_length(octets) || ASN1_STRING_length(octets) % 8)
		return damaged(e, "its length is not that of encrypted data");
	if (check_password(password, e) < 0)
		return -1;
	if (!PKCS12_pbe_crypt(alg, (const char *)password.ptr,
			      (int)password.len, ASN1_STRING_get0_data(octets),
			      ASN1_STRING_length(octets), &plain, &n, 0))
		return wrong_password(e);
	rc = secret_copy(out, view_of(plain, (size_t)n), e);
	OPENSSL_clear_free(plain, (size_t)n);
	return rc;
}

int key_decrypt_pkcs8(struct view der, struct view password, struct secret *out,
		      struct error *e)
{
	const unsigned char *p = der.ptr;
	X509_SIG *sig = d2i_X509_SIG(NULL, &p, (long)der.len);
	int rc;

	if (!sig || p != der.ptr + der.len)
		rc = damaged(e, "it is not an EncryptedPrivateKeyInfo");
	else
		rc = decrypt_sig(sig, password, out, e);
	X509_SIG_free(sig);
	return rc;
}
