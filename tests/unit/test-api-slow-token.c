/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "tests/unit/api_fixture.h"
#include "tests/unit/pkcs11_wrapper.h"

/* What is said of the key when the token is there and does not answer in time:
 * its one session is busy. */

enum { BUSY_MS = 2500, PATIENCE_MS = 100 };

static struct wrapper_knobs *knobs;

static void alter(struct token_options *o)
{
	o->module = wrapper_path();
	o->max_sessions = 1;
	o->wait_ms = PATIENCE_MS;
}

static int set_up(void)
{
	knobs = wrapper_load();
	device.alter_token = alter;
	return api_device_open();
}

static const struct value *local_member(const struct answer *a,
					const char *name)
{
	return value_member(value_member(a->response.result, "local"), name);
}

static void *ask_slowly(void *arg)
{
	struct answer *a = arg;

	call_by(&door_local, "certificate.query", NULL, a);
	return NULL;
}

static void test_no_answer(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct answer slow, a;
	pthread_t thread;

	atomic_store(&knobs->sign_delay_ms, BUSY_MS);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, ask_slowly, &slow),
			      0);
	while (atomic_load(&knobs->signing) == 0)
		nanosleep(&pause, NULL);
	call_by(&door_local, "certificate.query", NULL, &a);
	CU_ASSERT_EQUAL(a.response.fault_code, 0);
	CU_ASSERT_PTR_NULL(local_member(&a, "keyStatus"));
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(value_string(local_member(&a, "keyProblem")),
		   "no token session became free"));
	CU_ASSERT_STRING_NOT_EQUAL(text_of(&a, "pendingProblem"), "");
	answer_free(&a);
	atomic_store(&knobs->sign_delay_ms, 0);
	pthread_join(thread, NULL);
	CU_ASSERT_STRING_EQUAL(value_string(local_member(&slow, "keyStatus")),
			       "matches");
	answer_free(&slow);
}

static void test_answers_again(void)
{
	struct answer a;

	call_by(&door_local, "certificate.query", NULL, &a);
	CU_ASSERT_STRING_EQUAL(value_string(local_member(&a, "keyStatus")),
			       "matches");
	CU_ASSERT_PTR_NULL(local_member(&a, "keyProblem"));
	CU_ASSERT_PTR_NULL(value_member(a.response.result, "pendingProblem"));
	answer_free(&a);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "no answer", test_no_answer },
		{ "answers again", test_answers_again },
		{ 0 },
	};

	return unit_main(argc, argv, "certificate.query, slow token", tests,
			 set_up, api_device_close);
}
