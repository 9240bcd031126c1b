/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cert/key_file.h"

#include <string.h>

#include "cert/key_decrypt.h"
#include "cert/key_numbers.h"
#include "cert/pem.h"
#include "cert/text.h"

enum { KEY_FILE_MAX = 64 * 1024 };

typedef int numbers_fn(struct view der, struct key_material *out,
		       struct error *e);

/* The labels of private keys. Without a function: why it cannot be read. */
static const struct key_form {
	const char *label;
	numbers_fn *numbers;
	bool pkcs8_encrypted;
	const char *unsupported;
} forms[] = {
	{ "PRIVATE KEY", key_numbers_pkcs8, false, NULL },
	{ "ENCRYPTED PRIVATE KEY", key_numbers_pkcs8, true, NULL },
	{ "RSA PRIVATE KEY", key_numbers_rsa, false, NULL },
	{ "EC PRIVATE KEY", key_numbers_sec1, false, NULL },
	{ "DSA PRIVATE KEY", NULL, false,
	  "DSA keys are not used; RSA or EC is needed" },
	{ "OPENSSH PRIVATE KEY", NULL, false,
	  "the private key is in OpenSSH's own form; "
	  "ssh-keygen -p -m PEM turns it into PEM" },
};

static const struct key_form *find_form(struct view label)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (view_is(label, forms[i].label))
			return &forms[i];
	return NULL;
}

struct found {
	const struct key_form *form;
	struct pem_block block;
	struct view other; /* label of a block that is no key */
};

static int scan(struct view pem, struct found *out, struct error *e)
{
	struct pem_reader r;
	struct pem_block b;
	int rc;

	pem_reader_init(&r, pem);
	while ((rc = pem_next(&r, &b, e)) > 0) {
		const struct key_form *form = find_form(b.label);

		if (form && out->form)
			return error_set(e, ERR_KEY,
					 "several private keys (lines %zu and "
					 "%zu); one is needed",
					 out->block.line, b.line);
		if (form) {
			out->form = form;
			out->block = b;
		} else {
			out->other = b.label;
		}
	}
	if (rc == 0)
		return 0;
	e->kind = ERR_KEY;
	return error_prefix(e, "the private key file is damaged at line %zu",
			    b.line);
}

static int holds_none(struct view pem, const struct found *f, struct error *e)
{
	static const char none[] = "the private key file holds no private key";

	if (f->other.len && text_is_plain(f->other))
		return error_set(e, ERR_KEY, "%s but a %.*s", none,
				 (int)f->other.len, (const char *)f->other.ptr);
	return error_set(e, ERR_KEY, "%s: %s", none, pem_why_none(pem));
}

/* The DER of the block, still encrypted if it is. */
static int decode(struct view pem, struct view base64, struct secret *out,
		  struct error *e)
{
	size_t bad = 0;

	if (secret_alloc(out, base64_decoded_max(base64.len), e) < 0)
		return -1;
	if (pem_decode(base64, out->ptr, &out->len, &bad) < 0)
		return error_set(
		    e, ERR_KEY,
		    "the private key file is damaged: not valid base64 at line "
		    "%zu",
		    1 + pem_line_ends(pem, base64.ptr + bad));
	return 0;
}

static int wrong_or_damaged(struct error *e)
{
	return error_set(e, ERR_KEY_PASSWORD,
			 "the private key password is wrong "
			 "(or the file is damaged)");
}

/* Undo the encryption, if any. *encrypted_out tells. */
static int decrypt(const struct key_form *form, struct view headers,
		   struct view password, struct secret *der,
		   bool *encrypted_out, struct error *e)
{
	struct secret plain = { 0 };
	struct view body = view_of(der->ptr, der->len);
	int rc;

	*encrypted_out = true;
	if (form->pkcs8_encrypted)
		rc = key_decrypt_pkcs8(body, password, &plain, e);
	else if (headers.len &&
		 memmem(headers.ptr, headers.len, "ENCRYPTED", 9))
		rc = key_decrypt_legacy(headers, body, password, &plain, e);
	else {
		*encrypted_out = false;
		return 0;
	}
	if (rc == 0) {
		secret_free(der);
		*der = plain;
	}
	return rc;
}

static int parse(struct view pem, const struct found *f, struct view password,
		 struct secret *der, struct key_material *out, struct error *e)
{
	struct view headers, base64, plain;
	bool encrypted;

	if (!f->form->numbers)
		return error_set(e, ERR_KEY_UNSUPPORTED, "%s",
				 f->form->unsupported);
	pem_split_headers(f->block.body, &headers, &base64);
	if (decode(pem, base64, der, e) < 0 ||
	    decrypt(f->form, headers, password, der, &encrypted, e) < 0)
		return -1;
	plain = view_of(der->ptr, der->len);
	if (encrypted && !key_numbers_plausible(plain))
		return wrong_or_damaged(e);
	return f->form->numbers(plain, out, e);
}

int key_file_parse(struct view pem, struct view password,
		   struct key_material *out, struct error *e)
{
	struct found f = { 0 };
	struct secret der = { 0 };
	int rc;

	memset(out, 0, sizeof(*out));
	if (pem.len > KEY_FILE_MAX)
		return error_set(e, ERR_LIMIT,
				 "private key file of %zu bytes: at most %d",
				 pem.len, KEY_FILE_MAX);
	if (scan(pem, &f, e) < 0)
		return -1;
	if (!f.form)
		return holds_none(pem, &f, e);
	rc = parse(pem, &f, password, &der, out, e);
	secret_free(&der);
	if (rc < 0)
		key_material_free(out);
	return rc;
}
