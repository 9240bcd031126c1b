/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/api_fixture.h"

/* Methods participant.*, calls.* and what they leave, with nobody to call but
 * the test. */

static struct value *named(const char *name)
{
	struct value *s = value_new_struct();

	value_put_string(s, "conferenceName", "Room");
	value_put_string(s, "participantName", name);
	return s;
}

static struct value *addressed(const char *name)
{
	struct value *s = named(name);

	value_put_string(s, "address", "ann@example.com");
	return s;
}

static int local_fault(const char *method, struct value *params,
		       const char *words)
{
	return fault_of(&door_local, method, params, words);
}

static void must(const char *method, struct value *params)
{
	CU_ASSERT_EQUAL(local_fault(method, params, NULL), 0);
}

/* --- faults --------------------------------------------------------------- */

/* A member in the place of another value, or "-": left out. */
static const struct {
	const char *method, *member, *value;
	int fault;
	const char *words;
} refused[] = {
	{ "participant.add", "conferenceName", "-", 8, "no conference name" },
	{ "participant.add", "conferenceName", "", 8, "no conference name" },
	{ "participant.add", "participantName", "-", 9, "no participant name" },
	{ "participant.add", "participantName", "", 9, "no participant name" },
	{ "participant.add", "participantName", "a\nb", 102, "control" },
	{ "participant.add", "address", "-", 10, "address supplied" },
	{ "participant.add", "address", "", 10, "address supplied" },
	{ "participant.add", "address", "sip:a@", 102, "" },
	{ "participant.add", "address", "a b", 102, "" },
	{ "participant.add", "address", "sip:a:secret@h", 102, "" },
	{ "participant.add", "participantProtocol", "h323", 19,
	  "unsupported protocol" },
	{ "participant.add", "participantProtocol", "", 19, "protocol" },
	{ "participant.add", "participantType", "by_name", 20,
	  "unsupported participant type" },
	{ "participant.add", "transportProtocol", "sctp", 102,
	  "transportProtocol" },
	{ "participant.add", "displayNameOverrideValue", "a\x7f", 102,
	  "displayName" },
	{ "participant.connect", "conferenceName", "-", 8, "" },
	{ "participant.connect", "participantName", "-", 9, "" },
	{ "participant.connect", "participantName", "nobody", 5,
	  "no such participant" },
	{ "participant.disconnect", "participantName", "nobody", 5, "" },
	{ "participant.remove", "participantName", "nobody", 5, "" },
	{ "participant.remove", "participantType", "ad_hoc", 5, "" },
	{ "participant.status", "participantName", "nobody", 5, "" },
	{ "participant.status", "participantProtocol", "vnc", 19, "" },
};

static void test_refusals(void)
{
	must("participant.add", addressed("there"));
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		static const char *const members[] = { "conferenceName",
						       "participantName",
						       "address", NULL };
		static const char *const values[] = { "Room", "new",
						      "ann@example.com" };
		struct value *s = value_new_struct();
		bool put = false;

		for (int m = 0; members[m]; m++) {
			const char *v = values[m];

			if (!strcmp(members[m], refused[i].member)) {
				v = refused[i].value;
				put = true;
			}
			if (strcmp(v, "-") != 0)
				value_put_string(s, members[m], v);
		}
		if (!put)
			value_put_string(s, refused[i].member,
					 refused[i].value);
		if (local_fault(refused[i].method, s, refused[i].words) !=
		    refused[i].fault) {
			unit_note("row %zu: %s %s", i, refused[i].method,
				  refused[i].member);
			CU_FAIL("another fault");
		}
	}
	CU_ASSERT_EQUAL(local_fault("participant.add", addressed("there"),
				    "duplicate participant name"),
			3);
	must("participant.remove", named("there"));
}

static void test_mismatched(void)
{
	struct value *s = addressed("once");

	value_put_string(s, "participantType", "ad_hoc");
	value_put_boolean(s, "deferConnection", true);
	CU_ASSERT_EQUAL(local_fault("participant.add", s, "mismatched"), 104);
	CU_ASSERT_EQUAL(local_fault("participant.connect", named("once"), ""),
			5);
}

/* --- the life of one ------------------------------------------------------ */

static const struct value *participant_in(const struct answer *a)
{
	return value_member(a->response.result, "participant");
}

static const char *member_of(const struct value *s, const char *name)
{
	return value_string(value_member(s, name));
}

static void status_of(const char *name, struct answer *out)
{
	call_by(&door_local, "participant.status", named(name), out);
}

static void check_state(const char *name, const char *state)
{
	struct answer a;

	status_of(name, &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "callState"), state);
	answer_free(&a);
}

static uint64_t last_placed(void)
{
	control_turn(&device.calls);
	CU_ASSERT_FATAL(device.calls.placed_count > 0);
	return device.calls.placed[device.calls.placed_count - 1];
}

static void test_life_of_one(void)
{
	struct value *s = addressed("ann");
	const struct value *p;
	struct answer a;
	uint64_t id;

	value_put_boolean(s, "addResponse", true);
	value_put_boolean(s, "displayNameOverrideStatus", true);
	value_put_string(s, "displayNameOverrideValue", "Boss");
	value_put_string(s, "transportProtocol", "tcp");
	call_by(&door_local, "participant.add", s, &a);
	p = participant_in(&a);
	CU_ASSERT_STRING_EQUAL(member_of(p, "callState"), "alerting");
	CU_ASSERT_STRING_EQUAL(member_of(p, "participantType"), "by_address");
	CU_ASSERT_STRING_EQUAL(member_of(p, "participantProtocol"), "sip");
	CU_ASSERT_STRING_EQUAL(member_of(p, "transportProtocol"), "tcp");
	CU_ASSERT_STRING_EQUAL(member_of(p, "mediaEncryption"), "unknown");
	CU_ASSERT(strlen(member_of(p, "callId")) > 0);
	CU_ASSERT_PTR_NULL(value_member(p, "connectTime"));
	CU_ASSERT_PTR_NULL(value_member(p, "displayName"));
	answer_free(&a);
	CU_ASSERT_EQUAL(count_audit("participantAdded", "System", "local",
				    "participant: ann"),
			1);
	id = last_placed();
	CU_ASSERT_EQUAL(device.calls.dialled.transport, SIP_TCP);
	control_connect(&device.calls, id);
	status_of("ann", &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "callState"), "connected");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "displayName"), "Boss");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "mediaEncryption"), "encrypted");
	CU_ASSERT(value_is(value_member(a.response.result, "connectTime"),
			   VALUE_TIME));
	answer_free(&a);
	CU_ASSERT_EQUAL(
	    local_fault("participant.connect", named("ann"), "already"), 201);
	must("participant.disconnect", named("ann"));
	control_turn(&device.calls);
	control_end_call(&device.calls, id, SIP_END_DISCONNECT_ALL);
	status_of("ann", &a);
	CU_ASSERT_STRING_EQUAL(text_of(&a, "callState"), "disconnected");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "disconnectReason"),
			       "disconnectAll");
	CU_ASSERT_STRING_EQUAL(text_of(&a, "disconnectText"),
			       "as the test wants");
	CU_ASSERT_PTR_NULL(value_member(a.response.result, "displayName"));
	answer_free(&a);
	CU_ASSERT_EQUAL(
	    local_fault("participant.disconnect", named("ann"), "no call"),
	    201);
	must("participant.connect", named("ann"));
	check_state("ann", "alerting");
	must("participant.remove", named("ann"));
	CU_ASSERT_EQUAL(local_fault("participant.status", named("ann"), ""), 5);
	control_turn(&device.calls);
	CU_ASSERT_EQUAL(count_audit("participantCalled", "System", "local",
				    "participant: ann"),
			1);
	CU_ASSERT_EQUAL(count_audit("participantDisconnected", "System",
				    "local", "participant: ann"),
			1);
	CU_ASSERT_EQUAL(count_audit("participantRemoved", "System", "local",
				    "participant: ann"),
			1);
}

/* --- all of them ---------------------------------------------------------- */

static struct value *scoped(const char *first, const char *second)
{
	struct value *s = value_new_struct();
	struct value *scope = value_put_array(s, "operationScope");

	if (first)
		value_add_string(scope, first);
	if (second)
		value_add_string(scope, second);
	return s;
}

static void test_enumerate(void)
{
	struct value *s = addressed("late");
	const struct value *list, *one;
	struct answer a;
	uint64_t id;

	value_put_boolean(s, "deferConnection", true);
	must("participant.add", s);
	id = control_incoming(&device.calls, "sip:eve@example.com\n\xff");
	control_connect(&device.calls, id);
	call_by(&door_local, "participant.enumerate",
		scoped("currentState", "configuredState"), &a);
	list = value_member(a.response.result, "participants");
	CU_ASSERT_EQUAL_FATAL(value_count(list), 2);
	CU_ASSERT_PTR_NULL(value_member(a.response.result, "enumerateID"));
	CU_ASSERT(
	    value_int(value_member(a.response.result, "currentRevision")) > 0);
	one = value_item(list, 0);
	CU_ASSERT_STRING_EQUAL(member_of(one, "participantName"), "late");
	CU_ASSERT_STRING_EQUAL(
	    member_of(value_member(one, "currentState"), "callState"),
	    "dormant");
	CU_ASSERT(value_boolean(value_member(
	    value_member(one, "configuredState"), "deferConnection")));
	CU_ASSERT_PTR_NULL(value_member(one, "callState"));
	one = value_item(list, 1);
	CU_ASSERT_STRING_EQUAL(member_of(one, "conferenceName"), "Echo");
	CU_ASSERT_STRING_EQUAL(member_of(one, "participantType"), "ad_hoc");
	CU_ASSERT_STRING_EQUAL(member_of(one, "participantName"),
			       "sip:eve@example.com ?");
	CU_ASSERT_PTR_NULL(value_member(one, "configuredState"));
	answer_free(&a);
	call_by(&door_local, "participant.enumerate",
		scoped("configuredState", NULL), &a);
	list = value_member(a.response.result, "participants");
	CU_ASSERT_EQUAL(value_count(list), 1);
	CU_ASSERT_PTR_NULL(value_member(value_item(list, 0), "currentState"));
	answer_free(&a);
	control_end_call(&device.calls, id, SIP_END_REMOTE_TEARDOWN);
	must("participant.remove", named("late"));
}

static void test_enumerate_refusals(void)
{
	struct value *s;

	CU_ASSERT_EQUAL(local_fault("participant.enumerate", NULL,
				    "missing parameter - operationScope"),
			101);
	CU_ASSERT_EQUAL(local_fault("participant.enumerate", scoped(NULL, NULL),
				    "names nothing"),
			102);
	CU_ASSERT_EQUAL(local_fault("participant.enumerate",
				    scoped("activeState", NULL),
				    "operationScope[0]"),
			102);
	s = value_new_struct();
	value_put_string(s, "operationScope", "currentState");
	CU_ASSERT_EQUAL(local_fault("participant.enumerate", s, ""), 103);
	s = scoped("currentState", NULL);
	value_put_string(s, "enumerateID", "1");
	CU_ASSERT_EQUAL(local_fault("participant.enumerate", s,
				    "invalid enumerateID value"),
			16);
	s = scoped("currentState", NULL);
	value_put_string(s, "enumerateFilter", "active");
	CU_ASSERT_EQUAL(local_fault("participant.enumerate", s,
				    "enumerateFilter: there is no such name"),
			102);
	s = scoped("currentState", NULL);
	value_put_string(s, "lastRevision", "1");
	CU_ASSERT_EQUAL(local_fault("participant.enumerate", s, ""), 103);
}

/* --- calls ---------------------------------------------------------------- */

static struct value *call_id(const char *id)
{
	struct value *s = value_new_struct();

	value_put_string(s, "callId", id);
	return s;
}

static void test_calls(void)
{
	static const char *const wrong[] = {
		"",
		"0",
		"-1",
		"x",
		"1x",
		" 1",
		"99999999999999999999",
		"18446744073709551615",
		"987654",
	};
	const struct value *list, *one;
	struct answer a;
	char id_text[24];
	uint64_t id;

	call_by(&door_local, "calls.enumerate", NULL, &a);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "calls")),
			0);
	answer_free(&a);
	id = control_incoming(&device.calls, "sip:\xff\n@x");
	control_connect(&device.calls, id);
	call_by(&door_local, "calls.enumerate", NULL, &a);
	list = value_member(a.response.result, "calls");
	CU_ASSERT_EQUAL_FATAL(value_count(list), 1);
	one = value_item(list, 0);
	CU_ASSERT_STRING_EQUAL(member_of(one, "peer"), "sip:? @x");
	CU_ASSERT_STRING_EQUAL(member_of(one, "state"), "connected");
	CU_ASSERT_STRING_EQUAL(member_of(one, "transport"), "TLS");
	CU_ASSERT_STRING_EQUAL(member_of(one, "direction"), "incoming");
	CU_ASSERT_STRING_EQUAL(member_of(one, "conferenceName"), "Echo");
	CU_ASSERT_STRING_EQUAL(member_of(one, "participantName"), "sip:? @x");
	snprintf(id_text, sizeof(id_text), "%s", member_of(one, "callId"));
	answer_free(&a);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_EQUAL(local_fault("calls.disconnect",
					    call_id(wrong[i]), "callId"),
				102);
	must("calls.disconnect", call_id(id_text));
	CU_ASSERT_EQUAL(
	    count_audit("callDisconnected", "System", "local", id_text), 1);
	control_turn(&device.calls);
	CU_ASSERT_EQUAL(device.calls.ended[device.calls.ended_count - 1], id);
	control_end_call(&device.calls, id, SIP_END_DISCONNECT_ALL);
	CU_ASSERT_EQUAL(
	    local_fault("calls.disconnect", call_id(id_text), "no such call"),
	    102);
}

/* As many calls as there can be, with names as long as they get. */
static void test_many_calls(void)
{
	static uint64_t ids[SIP_CALLS_MAX];
	struct value *params = scoped("currentState", NULL);
	const struct value *more;
	char peer[SIP_TEXT_MAX];
	struct answer a;
	size_t seen = 0;

	memset(peer, '&', sizeof(peer));
	peer[sizeof(peer) - 1] = '\0';
	for (size_t i = 0; i < SIP_CALLS_MAX; i++) {
		ids[i] = control_incoming(&device.calls, peer);
		control_connect(&device.calls, ids[i]);
	}
	call_by(&door_local, "calls.enumerate", NULL, &a);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "calls")),
			SIP_CALLS_MAX);
	answer_free(&a);
	do {
		call_by(&door_local, "participant.enumerate", params, &a);
		seen += value_count(
		    value_member(a.response.result, "participants"));
		more = value_member(a.response.result, "enumerateID");
		params = scoped("currentState", NULL);
		value_put_string(params, "enumerateID", value_string(more));
		if (!more)
			value_free(params);
		answer_free(&a);
	} while (more);
	CU_ASSERT_EQUAL(seen, SIP_CALLS_MAX);
	for (size_t i = 0; i < SIP_CALLS_MAX; i++)
		control_end_call(&device.calls, ids[i],
				 SIP_END_REMOTE_TEARDOWN);
	call_by(&door_local, "calls.enumerate", NULL, &a);
	CU_ASSERT_EQUAL(value_count(value_member(a.response.result, "calls")),
			0);
	answer_free(&a);
}

/* A call in a batch has its own fault. */
static void test_in_a_batch(void)
{
	struct value *s = value_new_struct(), *calls, *one;
	const struct value *results;
	struct answer a;

	calls = value_put_array(s, "calls");
	one = value_add_struct(calls);
	value_put_string(one, "methodName", "participant.status");
	value_put(one, "params", named("nobody"));
	one = value_add_struct(calls);
	value_put_string(one, "methodName", "calls.disconnect");
	value_put(one, "params", call_id("7777"));
	call_by(&door_local, "system.batch", s, &a);
	results = value_member(a.response.result, "results");
	CU_ASSERT_EQUAL(
	    value_int(value_member(value_item(results, 0), "faultCode")), 5);
	CU_ASSERT_EQUAL(
	    value_int(value_member(value_item(results, 1), "faultCode")), 102);
	answer_free(&a);
}

static void test_privilege(void)
{
	static const char *const methods[] = {
		"participant.add",    "participant.connect",
		"participant.remove", "participant.disconnect",
		"participant.status", "participant.enumerate",
		"calls.enumerate",    "calls.disconnect",
	};
	const struct door d = { .user = "guide", .password = "Right pass 1" };
	struct value *s = value_new_struct();

	value_put_string(s, "userName", "guide");
	value_put_string(s, "password", "Right pass 1");
	value_put_boolean(s, "forceChange", false);
	value_put_string(s, "privilege",
			 "conference creation and full control");
	must("user.add", s);
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		CU_ASSERT_EQUAL(fault_of(&d, methods[i], NULL, "privileges"),
				15);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		{ "what is refused", test_refusals },
		{ "what contradicts itself", test_mismatched },
		{ "one from its adding to its removal", test_life_of_one },
		{ "all of them", test_enumerate },
		{ "what is no enumeration", test_enumerate_refusals },
		{ "calls", test_calls },
		{ "as many calls as there can be", test_many_calls },
		{ "in a batch", test_in_a_batch },
		{ "administrators only", test_privilege },
		{ NULL, NULL },
	};

	return unit_main(argc, argv, "api participants", tests, api_device_open,
			 api_device_close);
}
