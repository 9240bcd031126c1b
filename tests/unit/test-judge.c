/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

struct row {
	const char *name;
	struct part parts[PARTS_MAX];
	const char *store, *sent;
	enum judge_role role;
	const char *host;
	long later; /* seconds after NOW */
	const char *path;
	enum judge_reason reason; /* JUDGE_ACCEPTED in tables of acceptances */
	const char *words;        /* in the text */
};

static void check_row(const struct row *row, bool accepted)
{
	struct error e = ERROR_INIT;
	struct world w = { .changes = row->parts };
	struct judge_store *store = world_store(&w, row->store);
	struct cert_list sent;
	struct judge_question q = { .store = store,
				    .sent = &sent,
				    .role = row->role,
				    .host = row->host,
				    .now = NOW + row->later };
	enum judge_reason reason = accepted ? JUDGE_ACCEPTED : row->reason;
	struct judgement j;
	char path[32];
	bool right;

	world_list(&w, row->sent, &sent);
	CHECK_OK(judge(&q, &j, &e), &e);
	world_letters(&w, &j.path, path);
	right = j.accepted == accepted && j.reason == reason &&
		(!row->path || !strcmp(path, row->path)) &&
		(accepted ? !*j.text : *j.text != '\0') &&
		(!row->words || strstr(j.text, row->words));
	if (!right)
		unit_note("%s: %s, path %s: %s", row->name,
			  judge_reason_name(j.reason), path, j.text);
	CU_ASSERT(right);
	CU_ASSERT(accepted || !*j.login.name);
	judgement_free(&j);
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

#define CHECK_ROWS(rows, accepted)                                           \
	do {                                                                 \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(*rows); i_++) \
			check_row(&rows[i_], accepted);                      \
	} while (0)

#define CA "critical,CA:TRUE"

static void test_paths(void)
{
	static const struct row rows[] = {
		{ "root", .store = "R", .sent = "LI", .path = "LIR" },
		{ "root sent too", .store = "R", .sent = "LIR", .path = "LIR" },
		{ "any order", .store = "R", .sent = "LRI", .path = "LIR" },
		{ "three levels", .store = "R", .sent = "MJI", .path = "MJIR" },
		{ "mixed", .store = "R", .sent = "MIRJ", .path = "MJIR" },
		{ "foreign ones too", .store = "R", .sent = "LOSDI",
		  .path = "LIR" },
		{ "twice", .store = "R", .sent = "LIILI", .path = "LIR" },
		{ "many anchors", .store = "ODSRK", .sent = "LI",
		  .path = "LIR" },
		{ "anchor twice", .store = "RRR", .sent = "LI", .path = "LIR" },
		{ "intermediate in the store", .store = "RI", .sent = "L",
		  .path = "LI" },
		{ "issuing authority alone", .store = "I", .sent = "L",
		  .path = "LI" },
		{ "issuing authority sent too", .store = "I", .sent = "LIR",
		  .path = "LI" },
		{ "upper one of two", .store = "I", .sent = "MJ",
		  .path = "MJI" },
		{ "leaf itself", .store = "L", .sent = "L", .path = "L" },
		{ "self-signed leaf", .store = "D", .sent = "D", .path = "D" },
		{ "self-signed leaf among others", .store = "RDI",
		  .sent = "DIR", .path = "D" },
		{ "root as leaf", .store = "R", .sent = "R", .path = "R" },
		{ "root under itself", .store = "R", .sent = "RR",
		  .path = "R" },
		{ "name in other letters",
		  { { 'L', .issuer_name = "/CN=ISSUING " } },
		  .store = "R",
		  .sent = "LI",
		  .path = "LIR" },
	};

	CHECK_ROWS(rows, true);
}

static void test_no_path(void)
{
	static const struct row rows[] = {
		{ "nothing sent", .store = "R", .sent = "",
		  .reason = JUDGE_NOTHING_SENT },
		{ "empty store", .store = "", .sent = "LI", .path = "LI",
		  .reason = JUDGE_UNKNOWN_AUTHORITY, .words = "empty" },
		{ "root missing", .store = "O", .sent = "LI", .path = "LI",
		  .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "certificate 2 of the chain (CN=Issuing): its "
			   "issuer (CN=Root) is neither" },
		{ "intermediate missing", .store = "R", .sent = "L",
		  .path = "L", .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "certificate 1 of the chain (CN=alice): its issuer "
			   "(CN=Issuing) is neither" },
		{ "a link missing", .store = "R", .sent = "MI", .path = "M",
		  .reason = JUDGE_UNKNOWN_AUTHORITY },
		{ "own root", .store = "O", .sent = "LIR", .path = "LIR",
		  .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "certificate 3 of the chain (CN=Root): is "
			   "self-signed and not in the trust store" },
		{ "self-signed leaf", .store = "RI", .sent = "D", .path = "D",
		  .reason = JUDGE_UNKNOWN_AUTHORITY, .words = "self-signed" },
		{ "leaf behind the issuer", .store = "O", .sent = "IL",
		  .path = "I", .reason = JUDGE_UNKNOWN_AUTHORITY },
		{ "root of that name, other key", .store = "S", .sent = "LI",
		  .path = "LIS", .reason = JUDGE_BAD_SIGNATURE,
		  .words = "certificate 2" },
		{ "issuer of that name, other key", .store = "R", .sent = "LK",
		  .path = "LKR", .reason = JUDGE_BAD_SIGNATURE,
		  .words = "certificate 1" },
		{ "two of that name, none of that key",
		  { { 'S', .key = "ecP256:4" },
		    { 'T', "/CN=Root", "ecP256:8", 'T', .constraints = CA } },
		  .store = "ST",
		  .sent = "LI",
		  .path = "LI",
		  .reason = JUDGE_BAD_SIGNATURE,
		  .words = "any of the 2 authorities" },
		{ "other kind of key",
		  { { 'S', .key = "rsa2048:0" } },
		  .store = "S",
		  .sent = "LI",
		  .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "another kind of key" },
		{ "same name as the anchor, self-signed", .store = "R",
		  .sent = "S", .path = "S", .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "self-signed" },
		{ "authority identifier of another",
		  { { 'I', .authority = 'S' } },
		  .store = "R",
		  .sent = "LI",
		  .path = "LI",
		  .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "(in the trust store) has another key" },
		{ "loop", .store = "S", .sent = "LIXY",
		  .reason = JUDGE_BAD_SIGNATURE },
		{ "loop without end",
		  { { 'S', .subject = "/CN=Stranger" } },
		  .store = "S",
		  .sent = "LIXY",
		  .reason = JUDGE_UNKNOWN_AUTHORITY },
		{ "new root signed by the old one, which it does not say",
		  { { 'N', "/CN=Root", "ecP256:8", 'R', .constraints = CA },
		    { 'Q', "/CN=bob", "ecP256:9", .issuer = 'N' } },
		  .store = "R",
		  .sent = "QN",
		  .reason = JUDGE_UNKNOWN_AUTHORITY },
		{ "empty names",
		  { { 'L', .subject = "", .alt = "DNS:a.example" } },
		  .store = "O",
		  .sent = "L",
		  .reason = JUDGE_UNKNOWN_AUTHORITY,
		  .words = "no subject" },
	};

	CHECK_ROWS(rows, false);
}

/* Authorities of one name, of one key, and signed crosswise. */
static void test_families(void)
{
	static const struct row rows[] = {
		{ "roots of one name", .store = "RS", .sent = "LI",
		  .path = "LIR" },
		{ "the other way", .store = "SR", .sent = "LI", .path = "LIR" },
		{ "the right one sent last", .store = "R", .sent = "LKI",
		  .path = "LIR" },
		{ "the right one sent first", .store = "R", .sent = "LIK",
		  .path = "LIR" },
		{ "anchor of that name, right one sent", .store = "KR",
		  .sent = "LI", .path = "LIR" },
		{ "told apart by identifiers",
		  { { 'I', .authority = 'R' }, { 'L', .authority = 'I' } },
		  .store = "RS",
		  .sent = "LKI",
		  .path = "LIR" },
		{ "cross-signed", .store = "O", .sent = "LIX", .path = "LIXO" },
		{ "cross-signed loop", .store = "O", .sent = "LIRXY",
		  .path = "LIXO" },
		{ "root rather than a cross-signature", .store = "OR",
		  .sent = "LIX", .path = "LIR" },
		{ "expired root, way around it",
		  { { 'R', .to = -DAY } },
		  .store = "OR",
		  .sent = "LIX",
		  .path = "LIXO" },
		{ "root and its successor",
		  { { 'R', .to = -DAY },
		    { 'T', "/CN=Root", "ecP256:0", 'T', .constraints = CA } },
		  .store = "RT",
		  .sent = "LI",
		  .path = "LIT" },
		{ "expired and renewed intermediate",
		  { { 'E', "/CN=Issuing", "ecP256:1", 'R', .to = -DAY,
		      .constraints = CA } },
		  .store = "R",
		  .sent = "LEI",
		  .path = "LIR" },
		{ "new root signed by the old one",
		  { { 'N', "/CN=Root", "ecP256:8", 'R', .authority = 'R',
		      .constraints = CA },
		    { 'Q', "/CN=bob", "ecP256:9", .issuer = 'N' } },
		  .store = "R",
		  .sent = "QN",
		  .path = "QNR" },
		{ "wrong usage one way, right the other",
		  { { 'R', .extended = "emailProtection" } },
		  .store = "RO",
		  .sent = "LIX",
		  .path = "LIXO" },
	};

	CHECK_ROWS(rows, true);
}

static void test_validity(void)
{
	static const struct row good[] = {
		{ "first second",
		  { { 'L', .from = 5 } },
		  .store = "R",
		  .sent = "LI",
		  .later = 5 },
		{ "last second",
		  { { 'L', .to = 5 } },
		  .store = "R",
		  .sent = "LI",
		  .later = 5 },
		{ "last second of the anchor",
		  { { 'R', .to = 5 } },
		  .store = "R",
		  .sent = "LI",
		  .later = 5 },
		{ "root above the anchor expired",
		  { { 'R', .to = -5 } },
		  .store = "RI",
		  .sent = "L",
		  .path = "LI" },
		{ "year 2100",
		  { { 'L', .to = 80 * (long)YEAR },
		    { 'I', .to = 80 * (long)YEAR },
		    { 'R', .to = 80 * (long)YEAR } },
		  .store = "R",
		  .sent = "LI",
		  .later = 74 * (long)YEAR },
	};
	static const struct row bad[] = {
		{ "leaf expired",
		  { { 'L', .to = 5 } },
		  .store = "R",
		  .sent = "LI",
		  .later = 6,
		  .path = "LIR",
		  .reason = JUDGE_EXPIRED,
		  .words = "certificate 1 of the chain (CN=alice): expired on "
			   "2026-09-21 at 14:13 UTC" },
		{ "leaf early",
		  { { 'L', .from = 5 } },
		  .store = "R",
		  .sent = "LI",
		  .later = 4,
		  .reason = JUDGE_NOT_YET_VALID,
		  .words = "certificate 1 of the chain (CN=alice): is not "
			   "valid before 2026-09-21" },
		{ "intermediate expired",
		  { { 'I', .to = -DAY } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_EXPIRED,
		  .words = "certificate 2 of the chain (CN=Issuing)" },
		{ "intermediate early",
		  { { 'I', .from = DAY } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_YET_VALID,
		  .words = "certificate 2" },
		{ "root expired",
		  { { 'R', .to = -1 } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_EXPIRED,
		  .words = "certificate 3 of the chain (CN=Root; in the trust "
			   "store): expired" },
		{ "root early",
		  { { 'R', .from = 1 } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_YET_VALID,
		  .words = "certificate 3" },
		{ "anchored intermediate expired",
		  { { 'I', .to = -1 } },
		  .store = "RI",
		  .sent = "LI",
		  .path = "LI",
		  .reason = JUDGE_EXPIRED,
		  .words = "certificate 2" },
		{ "trusted leaf expired",
		  { { 'D', .to = -1 } },
		  .store = "D",
		  .sent = "D",
		  .path = "D",
		  .reason = JUDGE_EXPIRED },
		{ "all too old", .store = "R", .sent = "LI",
		  .later = 2 * (long)YEAR, .reason = JUDGE_EXPIRED },
		{ "clock at 1970", .store = "R", .sent = "LI",
		  .later = -(long)NOW, .reason = JUDGE_NOT_YET_VALID },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_authorities(void)
{
	static const struct row good[] = {
		{ "usage of an authority",
		  { { 'I', .usage = "keyCertSign" } },
		  .store = "R",
		  .sent = "LI" },
		{ "constraints not critical",
		  { { 'I', .constraints = "CA:TRUE" } },
		  .store = "R",
		  .sent = "LI" },
		{ "version 1 root",
		  { { 'R', .v1 = true } },
		  .store = "R",
		  .sent = "LI" },
		{ "version 1 leaf",
		  { { 'L', .v1 = true } },
		  .store = "R",
		  .sent = "LI" },
		{ "version 1 self-signed leaf",
		  { { 'D', .v1 = true } },
		  .store = "D",
		  .sent = "D" },
		{ "path length 0",
		  { { 'I', .constraints = CA ",pathlen:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "path length 1",
		  { { 'R', .constraints = CA ",pathlen:1" } },
		  .store = "R",
		  .sent = "LI" },
		{ "self-issued ones do not count",
		  { { 'R', .constraints = CA ",pathlen:0" },
		    { 'N', "/CN=Root", "ecP256:8", 'R', .authority = 'R',
		      .constraints = CA },
		    { 'Q', "/CN=bob", "ecP256:9", .issuer = 'N' } },
		  .store = "R",
		  .sent = "QN" },
		{ "leaf that is an authority",
		  { { 'L', .constraints = CA } },
		  .store = "R",
		  .sent = "LI" },
	};
	static const struct row bad[] = {
		{ "no authority",
		  { { 'I', .constraints = "CA:FALSE" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "certificate 2 of the chain (CN=Issuing): issued" },
		{ "no constraints",
		  { { 'I', .constraints = "" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY },
		{ "no constraints, but usage",
		  { { 'I', .constraints = "", .usage = "keyCertSign" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY },
		{ "no constraints, but Netscape's",
		  { { 'I', .constraints = "",
		      .extensions = "nsCertType=sslCA" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY },
		{ "version 1 intermediate",
		  { { 'I', .v1 = true } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY },
		{ "version 1 intermediate as anchor",
		  { { 'I', .v1 = true } },
		  .store = "I",
		  .sent = "L",
		  .reason = JUDGE_NOT_AUTHORITY },
		{ "usage without keyCertSign",
		  { { 'I', .usage = "cRLSign,digitalSignature" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "(sent along) may not sign" },
		{ "root without keyCertSign",
		  { { 'R', .usage = "cRLSign" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "(in the trust store) may not sign" },
		{ "root is none",
		  { { 'R', .constraints = "CA:FALSE" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "certificate 3" },
		{ "leaf that issues",
		  { { 'Q', "/CN=eve", "ecP256:9", .issuer = 'L' } },
		  .store = "R",
		  .sent = "QLI",
		  .path = "QLIR",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "(CN=alice)" },
		{ "trusted leaf that issues",
		  { { 'Q', "/CN=eve", "ecP256:9", .issuer = 'D' } },
		  .store = "D",
		  .sent = "Q",
		  .path = "QD",
		  .reason = JUDGE_NOT_AUTHORITY,
		  .words = "(CN=device" },
		{ "path length 0 above two",
		  { { 'R', .constraints = CA ",pathlen:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_PATH_LENGTH,
		  .words = "certificate 3 of the chain (CN=Root; in" },
		{ "path length 0 in the middle",
		  { { 'I', .constraints = CA ",pathlen:0" } },
		  .store = "R",
		  .sent = "MJI",
		  .reason = JUDGE_PATH_LENGTH,
		  .words = "certificate 3 of the chain (CN=Issuing)" },
		{ "path length of an anchored intermediate",
		  { { 'I', .constraints = CA ",pathlen:0" } },
		  .store = "I",
		  .sent = "MJ",
		  .reason = JUDGE_PATH_LENGTH },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_usages(void)
{
	static const struct row good[] = {
		{ "client",
		  { { 'L', .extended = "clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "server",
		  { { 'L', .extended = "serverAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER },
		{ "both",
		  { { 'L', .extended = "serverAuth,clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "any",
		  { { 'L', .extended = "anyExtendedKeyUsage" } },
		  .store = "R",
		  .sent = "LI" },
		{ "one we do not know, too",
		  { { 'L', .extended = "1.2.3.4,clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "authority for clients",
		  { { 'I', .extended = "clientAuth" } },
		  .store = "R",
		  .sent = "LI" },
		{ "authority for any",
		  { { 'I', .extended = "anyExtendedKeyUsage" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER },
		{ "signature",
		  { { 'L', .usage = "critical,digitalSignature" } },
		  .store = "R",
		  .sent = "LI" },
	};
	static const struct row bad[] = {
		{ "server as client",
		  { { 'L', .extended = "serverAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE,
		  .words = "certificate 1 of the chain (CN=alice): is not for "
			   "TLS clients" },
		{ "client as server",
		  { { 'L', .extended = "clientAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .reason = JUDGE_WRONG_USE,
		  .words = "TLS servers" },
		{ "trusted client as server",
		  { { 'D', .extended = "clientAuth" } },
		  .store = "D",
		  .sent = "D",
		  .role = JUDGE_SERVER,
		  .reason = JUDGE_WRONG_USE },
		{ "mail",
		  { { 'L', .extended = "emailProtection" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE },
		{ "one we do not know",
		  { { 'L', .extended = "1.2.3.4" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE },
		{ "Netscape's server gating",
		  { { 'L', .extended = "nsSGC" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .reason = JUDGE_WRONG_USE },
		{ "authority for servers",
		  { { 'I', .extended = "serverAuth" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE,
		  .words = "certificate 2 of the chain (CN=Issuing): is not "
			   "allowed to issue for TLS clients" },
		{ "anchor for mail",
		  { { 'R', .extended = "emailProtection" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE,
		  .words = "certificate 3" },
		{ "encipherment only",
		  { { 'L', .usage = "keyEncipherment" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .reason = JUDGE_WRONG_USE,
		  .words = "digitalSignature" },
		{ "agreement only",
		  { { 'L', .usage = "keyAgreement" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WRONG_USE },
		{ "authority as leaf",
		  { { 'I', .usage = "keyCertSign,cRLSign" } },
		  .store = "R",
		  .sent = "I",
		  .reason = JUDGE_WRONG_USE },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_extensions(void)
{
	static const struct row good[] = {
		{ "unknown one",
		  { { 'L', .extensions = "1.2.3.4=ASN1:NULL" } },
		  .store = "R",
		  .sent = "LI" },
		{ "demanded policy",
		  { { 'R', .extensions = "" },
		    { 'I', .extensions = "policyConstraints=critical,"
					 "requireExplicitPolicy:0\n"
					 "certificatePolicies=1.2.3.4" },
		    { 'L', .extensions = "certificatePolicies=1.2.3.4" } },
		  .store = "R",
		  .sent = "LI" },
		{ "critical ones that we know",
		  { { 'L', .usage = "critical,digitalSignature",
		      .extended = "critical,clientAuth",
		      .alt = "critical,DNS:a.example" } },
		  .store = "R",
		  .sent = "LI" },
	};
	static const struct row bad[] = {
		{ "critical one of the leaf",
		  { { 'L', .extensions = "1.2.3.4=critical,ASN1:NULL" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_CRITICAL_EXTENSION,
		  .words = "certificate 1" },
		{ "critical one of an authority",
		  { { 'I', .extensions = "1.2.3.4=critical,ASN1:NULL" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_CRITICAL_EXTENSION,
		  .words = "certificate 2" },
		{ "critical one of the anchor",
		  { { 'R', .extensions = "1.2.3.4=critical,ASN1:NULL" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_CRITICAL_EXTENSION,
		  .words = "certificate 3" },
		{ "critical one of a trusted leaf",
		  { { 'D', .extensions = "1.2.3.4=critical,ASN1:NULL" } },
		  .store = "D",
		  .sent = "D",
		  .reason = JUDGE_CRITICAL_EXTENSION },
		{ "demanded policy missing",
		  { { 'I', .extensions = "policyConstraints=critical,"
					 "requireExplicitPolicy:0\n"
					 "certificatePolicies=1.2.3.4" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_POLICY },
		{ "policies twice the same",
		  { { 'L',
		      .extensions = "certificatePolicies=1.2.3.4,1.2.3.4" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_POLICY },
		{ "known one twice",
		  { { 'L', .usage = "digitalSignature",
		      .extensions = "keyUsage=digitalSignature" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_MALFORMED,
		  .words = "twice" },
		{ "unknown one twice",
		  { { 'L', .extensions = "1.2.3.4=ASN1:NULL\n"
					 "1.2.3.04=ASN1:NULL" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_MALFORMED,
		  .words = "twice" },
		{ "constraints that cannot be read",
		  { { 'L', .extensions = "2.5.29.19=DER:0101" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_MALFORMED },
		{ "usage that cannot be read",
		  { { 'L', .extensions = "2.5.29.15=DER:0101" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_MALFORMED },
		{ "proxy certificate",
		  { { 'L', .extensions = "proxyCertInfo=critical,language:id-"
					 "ppl-anyLanguage" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_CRITICAL_EXTENSION },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

#define NC(what) .extensions = "nameConstraints=critical," what

static void test_name_constraints(void)
{
	static const struct row good[] = {
		{ "name inside",
		  { { 'I', NC("permitted;DNS:corp.example") },
		    { 'L', .alt = "DNS:a.corp.example" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER },
		{ "name not excluded",
		  { { 'I', NC("excluded;DNS:bad.example") },
		    { 'L', .alt = "DNS:a.corp.example" } },
		  .store = "R",
		  .sent = "LI" },
		{ "address inside",
		  { { 'I', NC("permitted;IP:192.0.2.0/255.255.255.0") },
		    { 'L', .alt = "IP:192.0.2.7" } },
		  .store = "R",
		  .sent = "LI",
		  .host = "192.0.2.7",
		  .role = JUDGE_SERVER },
		{ "subject inside",
		  { { 'I', NC("permitted;dirName:d") "\n[d]\nO=Corp" },
		    { 'L', .subject = "/O=Corp/CN=alice" } },
		  .store = "R",
		  .sent = "LI" },
		{ "client's name that looks like a host",
		  { { 'I', NC("permitted;DNS:corp.example") },
		    { 'L', .subject = "/CN=alice.smith" } },
		  .store = "R",
		  .sent = "LI" },
	};
	static const struct row bad[] = {
		{ "name outside",
		  { { 'I', NC("permitted;DNS:corp.example") },
		    { 'L', .alt = "DNS:a.corp.example,DNS:b.example" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT,
		  .words = "certificate 1" },
		{ "name only looks inside",
		  { { 'I', NC("permitted;DNS:corp.example") },
		    { 'L', .alt = "DNS:evilcorp.example" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT },
		{ "name excluded",
		  { { 'I', NC("excluded;DNS:bad.example") },
		    { 'L', .alt = "DNS:very.bad.example" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT,
		  .words = "excludes" },
		{ "common name of a server outside",
		  { { 'I', NC("permitted;DNS:corp.example") },
		    { 'L', .subject = "/CN=b.example" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .reason = JUDGE_NAME_CONSTRAINT },
		{ "address outside",
		  { { 'I', NC("permitted;IP:192.0.2.0/255.255.255.0") },
		    { 'L', .alt = "IP:198.51.100.7" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT },
		{ "subject outside",
		  { { 'I', NC("permitted;dirName:d") "\n[d]\nO=Corp" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT },
		{ "of the anchor",
		  { { 'R', NC("permitted;DNS:corp.example") },
		    { 'L', .alt = "DNS:b.example" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT },
		{ "authority outside",
		  { { 'R', NC("permitted;dirName:d") "\n[d]\nO=Corp" },
		    { 'L', .subject = "/O=Corp/CN=alice" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT,
		  .words = "certificate 2" },
		{ "of a kind that cannot be checked",
		  { { 'I', NC("permitted;otherName:1.2.3.4;UTF8:x") },
		    { 'L', .alt = "otherName:1.2.3.4;UTF8:x" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_NAME_CONSTRAINT },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_strength(void)
{
	static const struct row good[] = {
		{ "RSA 2048",
		  { { 'R', .key = "rsa2048:0" },
		    { 'I', .key = "rsa2048:1" },
		    { 'L', .key = "rsa2048:2" } },
		  .store = "R",
		  .sent = "LI" },
		{ "RSA 3072 above EC",
		  { { 'R', .key = "rsa3072:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "RSA-PSS",
		  { { 'I', .key = "rsapss2048:0" } },
		  .store = "R",
		  .sent = "LI" },
		{ "P-384",
		  { { 'R', .key = "ecP384:0" }, { 'L', .key = "ecP384:1" } },
		  .store = "R",
		  .sent = "LI" },
		{ "P-521",
		  { { 'R', .key = "ecP521:0", .digest = "SHA512" } },
		  .store = "R",
		  .sent = "LI" },
		{ "Ed25519",
		  { { 'I', .key = "ed25519:0" }, { 'L', .key = "ed25519:1" } },
		  .store = "R",
		  .sent = "LI" },
		{ "SHA-384, SHA-512",
		  { { 'I', .digest = "SHA384" }, { 'L', .digest = "SHA512" } },
		  .store = "R",
		  .sent = "LI" },
		{ "SHA-1 of a root",
		  { { 'R', .digest = "SHA1" } },
		  .store = "R",
		  .sent = "LI" },
		{ "MD5 of a root",
		  { { 'R', .key = "rsa2048:0", .digest = "MD5" } },
		  .store = "R",
		  .sent = "LI" },
		{ "SHA-1 of a trusted self-signed leaf",
		  { { 'D', .digest = "SHA1" } },
		  .store = "D",
		  .sent = "D" },
	};
	static const struct row bad[] = {
		{ "SHA-1 of the leaf",
		  { { 'L', .digest = "SHA1" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_SIGNATURE,
		  .words = "certificate 1 of the chain (CN=alice): is signed "
			   "by a weak algorithm (ecdsa-with-SHA1)" },
		{ "MD5 of the leaf",
		  { { 'I', .key = "rsa2048:0" }, { 'L', .digest = "MD5" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_SIGNATURE,
		  .words = "md5WithRSAEncryption" },
		{ "SHA-1 of an authority",
		  { { 'I', .digest = "SHA1" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_SIGNATURE,
		  .words = "certificate 2" },
		{ "SHA-1 of an anchored intermediate",
		  { { 'I', .digest = "SHA1" } },
		  .store = "I",
		  .sent = "L",
		  .reason = JUDGE_WEAK_SIGNATURE,
		  .words = "certificate 2" },
		{ "SHA-1 of a trusted leaf",
		  { { 'L', .digest = "SHA1" } },
		  .store = "L",
		  .sent = "L",
		  .reason = JUDGE_WEAK_SIGNATURE },
		{ "RSA 1024 leaf",
		  { { 'L', .key = "rsa1024:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_KEY,
		  .words = "certificate 1 of the chain (CN=alice): has a key "
			   "that is too short (RSA 1024" },
		{ "RSA 1024 authority",
		  { { 'I', .key = "rsa1024:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_KEY,
		  .words = "certificate 2" },
		{ "RSA 1024 root",
		  { { 'R', .key = "rsa1024:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_WEAK_KEY,
		  .words = "certificate 3" },
		{ "RSA 1024 trusted leaf",
		  { { 'D', .key = "rsa1024:0" } },
		  .store = "D",
		  .sent = "D",
		  .reason = JUDGE_WEAK_KEY },
		{ "DSA",
		  { { 'L', .key = "dsa1024:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY,
		  .words = "DSA 1024" },
		{ "DSA authority",
		  { { 'I', .key = "dsa1024:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY },
		{ "secp256k1",
		  { { 'L', .key = "curve-secp256k1:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY,
		  .words = "secp256k1" },
		{ "P-224",
		  { { 'I', .key = "curve-secp224r1:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY },
		{ "RSA too long to be worth it",
		  { { 'L', .key = "modulus9000:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY,
		  .words = "RSA 9000" },
		{ "own curve parameters",
		  { { 'L', .key = "explicit-prime256v1:0" } },
		  .store = "R",
		  .sent = "LI",
		  .reason = JUDGE_UNSUPPORTED_KEY },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_host(void)
{
	static const struct row good[] = {
		{ "name",
		  { { 'L', .alt = "DNS:a.example" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .host = "A.example" },
		{ "trusted self-signed leaf",
		  { { 'D', .alt = "IP:192.0.2.7" } },
		  .store = "D",
		  .sent = "D",
		  .role = JUDGE_SERVER,
		  .host = "192.0.2.7" },
	};
	static const struct row bad[] = {
		{ "other name",
		  { { 'L', .alt = "DNS:a.example,DNS:b.example" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .host = "c.example",
		  .path = "LIR",
		  .reason = JUDGE_WRONG_HOST,
		  .words = "certificate 1 of the chain (CN=alice): is not for "
			   "c.example (DNS:a.example, DNS:b.example)" },
		{ "no name", .store = "R", .sent = "LI", .role = JUDGE_SERVER,
		  .host = "c.example", .reason = JUDGE_WRONG_HOST,
		  .words = "(no subjectAltName)" },
		{ "many names",
		  { { 'L', .alt = "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f" } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .host = "g.example",
		  .reason = JUDGE_WRONG_HOST,
		  .words = "DNS:d and 2 more)" },
		{ "trusted leaf of another host",
		  { { 'D', .alt = "DNS:a.example" } },
		  .store = "D",
		  .sent = "D",
		  .role = JUDGE_SERVER,
		  .host = "b.example",
		  .reason = JUDGE_WRONG_HOST },
		{ "expired comes first",
		  { { 'L', .to = -1 } },
		  .store = "R",
		  .sent = "LI",
		  .role = JUDGE_SERVER,
		  .host = "b.example",
		  .reason = JUDGE_EXPIRED },
	};

	CHECK_ROWS(good, true);
	CHECK_ROWS(bad, false);
}

static void test_no_judgement(void)
{
	static const char *const hosts[] = { "",        "a..b",    "*.example",
					     "a b",     "192.0.2", "[::1",
					     ".example" };
	struct error e = ERROR_INIT;
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct cert_list sent;
	struct judge_question q = {
		.store = store, .sent = &sent, .role = JUDGE_SERVER, .now = NOW
	};
	struct judgement j;

	world_list(&w, "LI", &sent);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		q.host = hosts[i];
		CHECK_FAILS(judge(&q, &j, &e), &e, ERR_INPUT, "neither a host");
		CU_ASSERT_FALSE(j.accepted);
		CU_ASSERT_EQUAL(j.reason, JUDGE_NOT_JUDGED);
		judgement_free(&j);
	}
	cert_list_free(&sent);
	judge_store_unref(store);
	world_end(&w);
}

static void test_reasons(void)
{
	for (int i = 0; i < JUDGE_REASON_COUNT; i++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(judge_reason_name(i));
		for (int k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(judge_reason_name(i),
						   judge_reason_name(k));
		CU_ASSERT_EQUAL(judge_reason_alert(i) == 0,
				i == JUDGE_ACCEPTED);
	}
	CU_ASSERT_EQUAL(judge_reason_alert(JUDGE_UNKNOWN_AUTHORITY), 48);
	CU_ASSERT_EQUAL(judge_reason_alert(JUDGE_EXPIRED), 45);
	CU_ASSERT_EQUAL(judge_reason_alert(JUDGE_REVOKED), 44);
}

/* The user of an accepted client, and of nobody else. */
static void test_login(void)
{
	static const struct {
		const char *sent;
		enum judge_role role;
		long later;
		const char *name;
	} rows[] = {
		{ "LI", JUDGE_CLIENT, 0, "alice" },
		{ "LI", JUDGE_SERVER, 0, "" },
		{ "LI", JUDGE_CLIENT, 2 * (long)YEAR, "" },
		{ "L", JUDGE_CLIENT, 0, "" },
	};
	struct error e = ERROR_INIT;
	struct world w = { 0 };
	struct judge_store *store = world_store(&w, "R");
	struct judge_store *again = judge_store_ref(store);

	CU_ASSERT_EQUAL(judge_store_count(again), 1);
	judge_store_unref(again);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert_list sent;
		struct judge_question q = { .store = store,
					    .sent = &sent,
					    .role = rows[i].role,
					    .now = NOW + rows[i].later };
		struct judgement j;

		world_list(&w, rows[i].sent, &sent);
		CHECK_OK(judge(&q, &j, &e), &e);
		CU_ASSERT_STRING_EQUAL(j.login.name, rows[i].name);
		judgement_free(&j);
		cert_list_free(&sent);
	}
	judge_store_unref(store);
	world_end(&w);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "paths", test_paths },
		{ "no_path", test_no_path },
		{ "families", test_families },
		{ "validity", test_validity },
		{ "authorities", test_authorities },
		{ "usages", test_usages },
		{ "extensions", test_extensions },
		{ "name_constraints", test_name_constraints },
		{ "strength", test_strength },
		{ "host", test_host },
		{ "no_judgement", test_no_judgement },
		{ "reasons", test_reasons },
		{ "login", test_login },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "judge", tests, NULL, NULL);
}
