# SPDX-License-Identifier: GPL-3.0-or-later
"""Participants and calls as an administrator sees them: those configured, those
who call us, lists of them batch by batch."""

import json
import xmlrpc.client

import pytest

from sealbridge_service import Service, free_ports, wait_for
from sip_peer import Callee, Caller

BOTH = ["currentState", "configuredState"]


@pytest.fixture
def api(service):
    return service.local()


def fault(api, method, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call(method, **members)
    return caught.value.faultCode


def named(name, **members):
    return {"conferenceName": "Room", "participantName": name, **members}


def add(api, name, address="ann@203.0.113.9", **members):
    return api.call("participant.add", address=address, **named(name, **members))


def status(api, name, **members):
    return api.call("participant.status", **named(name, **members))


def everybody(api, **members):
    found, more = [], {}
    while True:
        reply = api.call("participant.enumerate", operationScope=BOTH, **members, **more)
        found += reply["participants"]
        if "enumerateID" not in reply:
            return found
        more = {"enumerateID": reply["enumerateID"]}


def names(participants):
    """With "-" before those who are gone."""
    return ["-" * ("dead" in p) + p["participantName"] for p in participants]


def wait_calls(api, count):
    """So many connected calls, no others."""
    def there():
        calls = api.call("calls.enumerate")["calls"]
        return len(calls) == count and all(c["state"] == "connected" for c in calls)

    wait_for(there, what=f"{count} calls")
    return api.call("calls.enumerate")["calls"]


@pytest.fixture
def empty(service):
    """Nobody is there, before and after."""
    def clear():
        api = service.local()
        for p in everybody(api):
            api.call("participant.remove", **{k: p[k] for k in p if isinstance(p[k], str)})
        wait_calls(api, 0)

    clear()
    yield
    clear()


def test_configured(api, empty):
    reply = add(api, "ann", deferConnection=True, addResponse=True, useSIPRegistrar=False,
                transportProtocol="udp", displayNameOverrideStatus=True,
                displayNameOverrideValue="Änn")
    assert reply.pop("status") == "operation successful"
    assert reply == {"participant": {
        "conferenceName": "Room", "participantName": "ann", "participantProtocol": "sip",
        "participantType": "by_address", "address": "ann@203.0.113.9", "callState": "dormant",
        "mediaEncryption": "unknown", "callId": "", "useSIPRegistrar": False,
        "transportProtocol": "udp", "deferConnection": True, "displayNameOverrideStatus": True,
        "displayNameOverrideValue": "Änn"}}
    assert status(api, "ann") == reply["participant"]
    nested = status(api, "ann", operationScope=BOTH)
    assert nested["currentState"]["callState"] == "dormant" and "callState" not in nested
    assert nested["configuredState"]["transportProtocol"] == "udp"
    assert set(status(api, "ann", operationScope=["configuredState"])) == {
        "conferenceName", "participantName", "participantProtocol", "participantType",
        "configuredState"}
    assert fault(api, "participant.add", address="x", **named("ann")) == 3
    api.call("participant.remove", **named("ann"))
    assert fault(api, "participant.status", **named("ann")) == 5


def test_as_a_user_types_it(service, empty):
    """By sealbridgectl."""
    names = "conferenceName=Room", "participantName=ann"
    done = service.ctl("--json", "call", "participant.add", *names, "address=ann@203.0.113.9",
                       "deferConnection=true", "addResponse=true")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["participant"]["callState"] == "dormant"
    done = service.ctl("--json", "call", "participant.enumerate", "operationScope[]=currentState",
                       "operationScope[]=configuredState", "enumerateFilter=!connected")
    one, = json.loads(done.stdout)["participants"]
    assert one["currentState"]["callState"] == "dormant" and one["configuredState"]
    done = service.ctl("call", "participant.disconnect", *names)
    assert done.returncode == 1 and "has no call" in done.stderr, done
    done = service.ctl("call", "participant.add", *names, "address=bob@203.0.113.9")
    assert done.returncode == 1 and "duplicate participant name" in done.stderr, done
    done = service.ctl("call", "participant.add", *names)
    assert done.returncode == 1 and "no participant address supplied" in done.stderr, done
    assert service.ctl("call", "participant.remove", *names).returncode == 0


def test_restart_and_kill(service, empty):
    api = service.local()
    add(api, "kept", deferConnection=True)
    add(api, "gone", deferConnection=True)
    api.call("participant.remove", **named("gone"))
    before = everybody(api)
    assert names(before) == ["kept"]
    service.stop().start()
    api = service.local()
    assert everybody(api) == before
    add(api, "late", deferConnection=True)
    service.kill()
    service.start()
    api = service.local()
    assert names(everybody(api)) == ["kept", "late"]
    assert api.call("calls.enumerate") == {"calls": []}


def test_many(api, empty):
    for i in range(120):
        add(api, f"n{i:03}", deferConnection=True)
    assert names(everybody(api)) == [f"n{i:03}" for i in range(120)]
    first = api.call("participant.enumerate", operationScope=BOTH)
    assert len(first["participants"]) == 50
    # What comes while a list is read stands at its end; what goes is not missed.
    add(api, "new", deferConnection=True)
    api.call("participant.remove", **named("n050"))
    second = api.call("participant.enumerate", operationScope=BOTH,
                      enumerateID=first["enumerateID"])
    third = api.call("participant.enumerate", operationScope=BOTH,
                     enumerateID=second["enumerateID"])
    assert names(second["participants"])[0] == "n051"
    assert names(third["participants"])[-1] == "new" and "enumerateID" not in third
    # The same one again gives the same.
    again = api.call("participant.enumerate", operationScope=BOTH,
                     enumerateID=first["enumerateID"])
    assert names(again["participants"]) == names(second["participants"])
    for wrong in first["enumerateID"][:-1] + "x", "1", first["enumerateID"].swapcase() + "0":
        assert fault(api, "participant.enumerate", operationScope=BOTH, enumerateID=wrong) == 16
    # The next cycle: what has changed since the first stage.
    assert names(everybody(api, lastRevision=first["currentRevision"])) == ["-n050", "new"]


def changes(api, **members):
    """The names; whether it is all; the revision."""
    reply = api.call("participant.enumerate", operationScope=["currentState"], **members)
    dead = {"conferenceName", "participantName", "participantProtocol", "participantType", "dead"}
    assert all(set(p) == dead and p["dead"] is True
               for p in reply["participants"] if "dead" in p), reply
    return names(reply["participants"]), reply["listAll"], reply["currentRevision"]


def test_polling_over_a_restart_misses_nothing(service, empty):
    """Neither a change nor a removal, however often this client and others ask."""
    api = service.local()
    for name in "one", "two", "three":
        add(api, name, deferConnection=True)
    for _ in range(50):
        found, whole, revision = changes(api)
    assert (found, whole) == (["one", "two", "three"], True)
    api.call("participant.remove", **named("one"))
    add(api, "four", deferConnection=True)
    assert changes(api, lastRevision=revision)[:2] == (["-one", "four"], False)
    assert changes(api, lastRevision=revision, listAll=True)[:2] == (
        ["two", "three", "four"], True)
    service.stop().start()
    api = service.local()
    api.call("participant.remove", **named("two"))
    for _ in range(150):
        other = changes(api)[2]
    assert other > revision
    found, whole, revision = changes(api, lastRevision=revision)
    assert (found, whole) == (["three", "four"], True)
    assert changes(api, lastRevision=revision)[:2] == ([], False)
    service.kill()
    service.start()
    api = service.local()
    for _ in range(5):
        changes(api)
    assert changes(api, lastRevision=revision)[:2] == (["three", "four"], True)


def test_the_most():
    """Five hundred, and no more."""
    with Service() as service:
        api = service.local()
        calls = [{"methodName": "participant.add",
                  "params": named(f"n{i}", address="a@203.0.113.9", deferConnection=True)}
                 for i in range(500)]
        for i in range(0, 500, 16):
            for result in api.call("system.batch", calls=calls[i:i + 16])["results"]:
                assert "result" in result, result
        assert fault(api, "participant.add", **named("more", address="a@203.0.113.9")) == 7
        assert len(everybody(api)) == 500


@pytest.mark.parametrize("members, code", [
    ({}, 101),
    ({"operationScope": []}, 102),
    ({"operationScope": ["activeState"]}, 102),
    ({"operationScope": "currentState"}, 103),
    ({"operationScope": BOTH, "enumerateFilter": "active"}, 102),
    ({"operationScope": BOTH, "enumerateFilter": "connected &&"}, 102),
    ({"operationScope": BOTH, "enumerateFilter": "(" * 200}, 102),
    ({"operationScope": BOTH, "enumerateFilter": "x" * 300}, 102),
    ({"operationScope": BOTH, "enumerateFilter": 1}, 103),
    ({"operationScope": BOTH, "lastRevision": "1"}, 103),
])
def test_what_is_no_enumeration(api, members, code):
    assert fault(api, "participant.enumerate", **members) == code


def test_who_calls_us(service, api, empty):
    callers = [Caller(service, "eve").call() for _ in range(2)]
    calls = wait_calls(api, 2)
    assert {c["state"] for c in calls} == {"connected"}
    assert {c["direction"] for c in calls} == {"incoming"}
    assert {c["transport"] for c in calls} == {"TLS"}
    assert all(c["codec"] == "PCMU" and c["peer"].startswith("sip:eve@") for c in calls)
    # Participants are told behind the calls.
    wait_for(lambda: len(everybody(api, enumerateFilter="connected")) == 2, what="participants")
    listed = everybody(api, enumerateFilter="connected")
    assert sorted(names(listed)) == sorted(c["participantName"] for c in calls)
    assert len(set(names(listed))) == 2
    for p in listed:
        assert (p["conferenceName"], p["participantType"]) == ("Echo", "ad_hoc")
        assert p["currentState"]["callState"] == "connected" and "configuredState" not in p
    # One is removed: hung up. The other hangs up.
    one = {k: listed[0][k] for k in listed[0] if isinstance(listed[0][k], str)}
    assert fault(api, "participant.connect", **one) == 201
    api.call("participant.remove", **one)
    # The calls are listed in the order in which they came.
    ended = [c["participantName"] for c in calls].index(listed[0]["participantName"])
    callers[ended].wait_for_bye()
    callers[1 - ended].hang_up()
    assert wait_calls(api, 0) == []
    wait_for(lambda: everybody(api) == [], what="nobody")  # told behind the calls
    for caller in callers:
        caller.close()


# --- whom we call

def wait_state(api, name, state, **members):
    """Its status once it is in that state."""
    def there():
        row = status(api, name, **members)
        return row if row["callState"] == state else None

    return wait_for(there, what=f"{name} {state}")


@pytest.fixture
def callee():
    with Callee() as someone:
        yield someone


def test_call_and_hang_up(service, api, empty, callee):
    first = api.call("cdrlog.query")["deleteableIndex"] + 1
    add(api, "ann", callee.address, displayNameOverrideStatus=True,
        displayNameOverrideValue="Boss")
    at = wait_state(api, "ann", "connected")
    assert at["displayName"] == "Boss" and at["mediaEncryption"] == "unencrypted"
    call, = wait_calls(api, 1)
    assert (call["direction"], call["transport"], call["state"]) == ("outgoing", "TCP", "connected")
    assert (call["conferenceName"], call["participantName"]) == ("Room", "ann")
    assert call["callId"] == at["callId"] and call["codec"] == "PCMU"
    assert call["connectTime"] == at["connectTime"] and call["tlsVersion"] == ""
    assert fault(api, "participant.connect", **named("ann")) == 201
    api.call("participant.disconnect", **named("ann"))
    at = wait_state(api, "ann", "disconnected")
    assert at["disconnectReason"] == "disconnectAll" and "displayName" not in at
    assert at["disconnectTime"] >= at["connectTime"]
    wait_for(lambda: callee.seen == ["INVITE", "ACK", "BYE"], what="BYE")
    assert wait_calls(api, 0) == []
    # And once more; this time the other side hangs up.
    api.call("participant.connect", **named("ann"))
    wait_state(api, "ann", "connected")
    wait_for(lambda: callee.seen.count("ACK") == 2, what="ACK")
    callee.hang_up()
    assert wait_state(api, "ann", "disconnected")["disconnectReason"] == "remoteTeardown"
    kinds = [(e["type"], e.get("disconnectReason"))
             for e in api.call("cdrlog.enumerate", index=first)["events"]
             if e["participantName"] == "ann"]
    assert kinds == [("participantJoined", None), ("participantLeft", "disconnectAll"),
                     ("participantJoined", None), ("participantLeft", "remoteTeardown")]


def test_deferred(api, empty, callee):
    add(api, "ann", callee.address, deferConnection=True)
    assert status(api, "ann")["callState"] == "dormant"
    api.call("participant.connect", **named("ann"))
    wait_state(api, "ann", "connected")
    api.call("participant.remove", **named("ann"))
    wait_for(lambda: "BYE" in callee.seen, what="BYE")
    assert fault(api, "participant.status", **named("ann")) == 5
    wait_calls(api, 0)


@pytest.mark.parametrize("answer, reason", [
    ((486, "Busy Here"), "busy"),
    ((600, "Busy Everywhere"), "busy"),
    ((603, "Decline"), "rejected"),
    ((404, "Not Found"), "destinationUnreachable"),
    ((480, "Temporarily Unavailable"), "noAnswer"),
    ((488, "Not Acceptable Here"), "capabilityNegotiationError"),
    ((503, "Service Unavailable"), "serviceUnavailable"),
    ((302, "Moved Temporarily"), "moved"),
])
def test_refused(api, empty, callee, answer, reason):
    callee.does = answer
    add(api, "ann", callee.address)
    at = wait_state(api, "ann", "disconnected")
    assert at["disconnectReason"] == reason, at
    assert at["disconnectText"] and "connectTime" not in at
    wait_for(lambda: callee.seen == ["INVITE", "ACK"], what="ACK")
    last = [e for e in api.call("cdrlog.enumerate", newestFirst=True)["events"]
            if e["participantName"] == "ann"][0]
    assert (last["type"], last["durationSeconds"], last["disconnectReason"]) == (
        "participantLeft", 0, reason)


@pytest.mark.parametrize("how", ["participant.disconnect", "participant.remove",
                                 "calls.disconnect"])
def test_ended_while_it_rings(api, empty, callee, how):
    callee.does = "ring"
    add(api, "ann", callee.address)
    wait_for(lambda: "INVITE" in callee.seen, what="INVITE")
    call, = api.call("calls.enumerate")["calls"]
    assert call["state"] == "alerting" and status(api, "ann")["callState"] == "alerting"
    members = {"callId": call["callId"]} if how == "calls.disconnect" else named("ann")
    api.call(how, **members)
    wait_for(lambda: callee.seen == ["INVITE", "CANCEL", "ACK"], what="CANCEL")
    wait_calls(api, 0)
    if how == "participant.remove":
        assert fault(api, "participant.status", **named("ann")) == 5
    else:
        assert wait_state(api, "ann", "disconnected")["disconnectReason"] == "disconnectAll"


def test_nobody_there(api, empty):
    port, = free_ports(1)
    add(api, "ann", f"sip:ann@127.0.0.1:{port};transport=tcp")
    assert wait_state(api, "ann", "disconnected")["disconnectReason"] in (
        "destinationUnreachable", "failedToConnectToServer", "networkError")


def test_no_such_name():
    """With a server of names that says so."""
    with Service(configuration="[sip]\ndns-servers = 127.0.0.1:9\n") as service:
        api = service.local()
        add(api, "ann", "sip:ann@nowhere.example.com")
        assert wait_state(api, "ann", "disconnected")["disconnectReason"] == "dnsFailed"


def test_bad_addresses(api, empty):
    for address in "sip:", "a b", "sip:a:word@h", "mailto:a@b", "sip:a@h;maddr=1.2.3.4", "123":
        assert fault(api, "participant.add", **named("ann", address=address)) == 102, address
    assert everybody(api) == []


def test_called_once(api, empty, callee):
    """ad_hoc: not kept over a restart, its name is free once the call has ended."""
    once = {"participantType": "ad_hoc"}
    add(api, "ann", callee.address, **once)
    wait_state(api, "ann", "connected", **once)
    assert fault(api, "participant.add", **named("ann", address=callee.address, **once)) == 3
    api.call("participant.disconnect", **named("ann", **once))
    assert wait_state(api, "ann", "disconnected", **once)["disconnectReason"] == "disconnectAll"
    add(api, "ann", callee.address, **once)
    wait_state(api, "ann", "connected", **once)
    api.call("participant.remove", **named("ann", **once))
    wait_calls(api, 0)


def test_filters_and_revisions_of_calls(api, empty, callee):
    add(api, "late", callee.address, deferConnection=True)
    add(api, "ann", callee.address)
    wait_state(api, "ann", "connected")
    first = api.call("participant.enumerate", operationScope=BOTH)["currentRevision"]
    for text, wanted in [("connected", ["ann"]), ("disconnected", []),
                         ("!connected && !disconnected", ["late"]),
                         ("connected || 1", ["late", "ann"]), ("", ["late", "ann"])]:
        assert names(everybody(api, enumerateFilter=text)) == wanted, text
    assert everybody(api, lastRevision=first) == []
    api.call("participant.disconnect", **named("ann"))
    wait_state(api, "ann", "disconnected")
    assert names(everybody(api, lastRevision=first)) == ["ann"]
    assert names(everybody(api, enumerateFilter="disconnected")) == ["ann"]
