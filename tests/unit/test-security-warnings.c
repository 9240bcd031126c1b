/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "auth/security_warnings.h"
#include "tests/lib/unit.h"

/* A device about which nothing is to be said. */
static const struct security_facts fine = {
	.advanced_accounts = true,
	.console_login = true,
};

static bool applies(const struct security_facts *f, const char *id)
{
	int i = security_warning_find(id);

	CU_ASSERT_FATAL(i >= 0);
	return security_warnings_of(f) & 1u << i;
}

static void test_conditions(void)
{
#define FINE .advanced_accounts = true, .console_login = true
	static const struct {
		struct security_facts facts;
		const char *id; /* the only one; NULL: none */
	} rows[] = {
		{ { FINE }, NULL },
		{ { .console_login = true }, "advancedAccounts" },
		{ { .advanced_accounts = true }, "consoleLogin" },
		{ { FINE, .guest_enabled = true }, "guestEnabled" },
		{ { FINE, .admin_has_default_name = true }, "adminName" },
		{ { FINE, .http = true }, "plainHttp" },
		{ { FINE, .http = true, .redirect_http = true }, NULL },
		{ { FINE, .redirect_http = true }, NULL },
		{ { FINE, .expired_passwords = 3 }, NULL },
		{ { FINE, .certificate_login = true }, NULL },
		{ { FINE, .certificate_login = true, .expired_passwords = 1 },
		  "expiredPasswords" },
		{ { FINE, .default_certificate = true }, "defaultCertificate" },
		{ { FINE, .no_audit_room = true }, "auditRoom" },
		{ { FINE, .sip_misnamed = true }, "sipCertificateNames" },
		{ { FINE, .sip_shut = true }, "sipTrustStoreEmpty" },
	};
#undef FINE
	struct security_facts all = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned bits = security_warnings_of(&rows[i].facts);

		if (!rows[i].id) {
			CU_ASSERT_EQUAL(bits, 0);
			continue;
		}
		CU_ASSERT_TRUE(applies(&rows[i].facts, rows[i].id));
		CU_ASSERT_EQUAL(bits & (bits - 1), 0);
	}
	/* Nothing known is not nothing to say. */
	CU_ASSERT_TRUE(applies(&all, "advancedAccounts"));
	CU_ASSERT_TRUE(applies(&all, "consoleLogin"));
	CU_ASSERT_FALSE(applies(&fine, "advancedAccounts"));
}

static void test_rows(void)
{
	const struct security_warning_row *row;
	size_t i = 0;

	for (; (row = security_warning_row(i)); i++) {
		CU_ASSERT_EQUAL(security_warning_find(row->id), (int)i);
		CU_ASSERT(row->warning[0] && row->action[0] && row->applies);
		CU_ASSERT_EQUAL(row->page[0], '/');
		CU_ASSERT(!strcmp(row->severity, "warning") ||
			  !strcmp(row->severity, "info"));
	}
	CU_ASSERT(i > 4);
	CU_ASSERT_EQUAL(security_warning_find(""), -1);
	CU_ASSERT_EQUAL(security_warning_find("AdminName"), -1);
}

static void test_states(void)
{
	struct error e = ERROR_INIT;
	struct security_warnings *w = security_warnings_new(&e);

	CHECK_OBJECT(w, &e);
#define UPDATE(bits) \
	security_warnings_update(w, security_warnings_ticket(w), bits)
	CU_ASSERT_EQUAL(UPDATE(0x7), 0);
	CU_ASSERT_EQUAL(security_warnings_applying(w), 0x7);
	CU_ASSERT_EQUAL(security_warnings_acknowledged(w), 0);
	/* Only what applies, and once. */
	CU_ASSERT_EQUAL(security_warnings_acknowledge(w, 0xa), 0x2);
	CU_ASSERT_EQUAL(security_warnings_acknowledge(w, 0x3), 0x1);
	CU_ASSERT_EQUAL(security_warnings_acknowledged(w), 0x3);
	CU_ASSERT_EQUAL(UPDATE(0x7), 0);
	CU_ASSERT_EQUAL(security_warnings_acknowledged(w), 0x3);
	/* Fixed; what comes back is new. */
	CU_ASSERT_EQUAL(UPDATE(0x5), 0x2);
	CU_ASSERT_EQUAL(security_warnings_acknowledged(w), 0x1);
	CU_ASSERT_EQUAL(UPDATE(0xf), 0);
	CU_ASSERT_EQUAL(security_warnings_acknowledged(w), 0x1);
	CU_ASSERT_EQUAL(UPDATE(0), 0xf);
#undef UPDATE
	security_warnings_free(w);
	security_warnings_free(NULL);
}

/* Who looked first and comes last says nothing. */
static void test_late_updates(void)
{
	struct error e = ERROR_INIT;
	struct security_warnings *w = security_warnings_new(&e);
	uint64_t early, late;

	CHECK_OBJECT(w, &e);
	early = security_warnings_ticket(w);
	late = security_warnings_ticket(w);
	CU_ASSERT_EQUAL(security_warnings_update(w, late, 0x1), 0);
	CU_ASSERT_EQUAL(security_warnings_update(w, early, 0x2), 0);
	CU_ASSERT_EQUAL(security_warnings_applying(w), 0x1);
	security_warnings_free(w);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "when each applies", test_conditions },
		{ "rows are whole", test_rows },
		{ "new, acknowledged, fixed", test_states },
		{ "late updates", test_late_updates },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "security-warnings", tests, NULL, NULL);
}
