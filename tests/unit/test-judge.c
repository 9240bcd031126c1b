/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"
#include "tests/unit/judge_fixture.h"

#define CA "critical,CA:TRUE"

static void test_paths(void)
{
	static const struct judge_row rows[] = {
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

	JUDGE_ROWS(rows, true);
}

static void test_no_path(void)
{
	static const struct judge_row rows[] = {
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

	JUDGE_ROWS(rows, false);
}

/* Authorities of one name, of one key, and signed crosswise. */
static void test_families(void)
{
	static const struct judge_row rows[] = {
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

	JUDGE_ROWS(rows, true);
}

static const struct judge_row validity_good[] = {
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

static const struct judge_row validity_bad[] = {
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
	{ "all too old", .store = "R", .sent = "LI", .later = 2 * (long)YEAR,
	  .reason = JUDGE_EXPIRED },
	{ "clock at 1970", .store = "R", .sent = "LI", .later = -(long)NOW,
	  .reason = JUDGE_NOT_YET_VALID },
};

static void test_validity(void)
{
	JUDGE_ROWS(validity_good, true);
	JUDGE_ROWS(validity_bad, false);
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
		{ "no_judgement", test_no_judgement },
		{ "reasons", test_reasons },
		{ "login", test_login },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "judge", tests, NULL, NULL);
}
