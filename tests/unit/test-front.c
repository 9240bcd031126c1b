/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/front_fixture.h"

/* The front at work: plain HTTP and the control socket before a backend. */

static void test_get(void)
{
	struct front_fixture x;
	char *a;

	fixture_init(&x);
	fixture_start(&x);
	a = client_ask(x.http, "GET /echo?a=b HTTP/1.1\r\nHost: h\r\n"
			       "Connection: close\r\nX-Mine: 1\r\n\r\n");
	CU_ASSERT_EQUAL(answer_status(a), 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nConnection: close\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "\r\nX-Backend: yes\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "peer=127.0.0.1:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a, "GET /echo?a=b HTTP/1.1\r\n"
					 "Host: h\r\nX-Mine: 1\r\n"
					 "Connection: keep-alive\r\n\r\n"));
	free(a);
	fixture_stop(&x);
	CU_ASSERT_EQUAL(x.backend.strangers, 0);
}

static const struct unit_test tests[] = {
	{ "get", test_get },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return unit_main(argc, argv, "front", tests, NULL, NULL);
}
