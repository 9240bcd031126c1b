# SPDX-License-Identifier: GPL-3.0-or-later
"""Call detail records: which are given, deletion, what survives what."""

import datetime
import json
import sqlite3
import threading
import xmlrpc.client

import pytest

from sealbridge_service import Service, wait_for
from sip_peer import Caller
from sipp import Sipp

TYPES = ["scheduledConferenceStarted", "ad-hocConferenceStarted", "conferenceFinished",
         "participantJoined", "participantLeft"]
MEMBERS = {"time", "type", "index", "conferenceName", "participantName", "address", "direction",
           "transport", "mediaEncryption", "tlsVersion", "cipher", "peerIdentity", "verified"}


def write_records(service, count, name="ann"):
    """As if calls had been there: joined and left in turn."""
    (database,) = service.state.glob("**/sealbridge.db")
    with sqlite3.connect(database, timeout=20) as db:
        db.executemany(
            "INSERT INTO cdr (at, kind, conference, participant, address, incoming, transport,"
            " encryption, tls_version, cipher, peer_identity, verified, seconds, reason)"
            " VALUES (?, ?, 'Echo', ?, 'sip:ann@example.com', 1, 'TLS', 'encrypted', 'TLSv1.3',"
            " 'TLS_AES_128_GCM_SHA256', 'CN=ann', 1, ?, ?)",
            [(1700000000 + i, i % 2, name, 31 * (i % 2), "remoteTeardown" if i % 2 else "")
             for i in range(count)])
    db.close()


def indices(reply):
    return [event["index"] for event in reply["events"]]


def fault(api, method, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call(method, **members)
    return caught.value.faultCode, caught.value.faultString


def fill(service):
    """Fifty of them, from 1 on; gives the API."""
    assert service.api().call("cdrlog.query") == {
        "firstIndex": 1, "deleteableIndex": 0, "numEvents": 0, "percentageCapacity": 0, "lost": 0}
    empty = service.api().call("cdrlog.enumerate")
    assert (empty["startIndex"], empty["nextIndex"], empty["events"]) == (1, 1, [])
    assert empty["eventsRemaining"] is False
    write_records(service, 50)
    return service.api()


@pytest.fixture(scope="module")
def archive():
    """Nobody calls it."""
    with Service() as service:
        yield service


@pytest.fixture(scope="module")
def records(archive):
    """To be looked at only."""
    return fill(archive)


def test_what_a_record_says(records):
    reply = records.call("cdrlog.enumerate", numEvents=2)
    joined, left = reply["events"]
    assert set(joined) == MEMBERS and set(left) == MEMBERS | {"durationSeconds", "disconnectReason"}
    assert (joined["type"], left["type"]) == ("participantJoined", "participantLeft")
    assert joined["time"] == datetime.datetime(2023, 11, 14, 22, 13, 20)
    assert (left["durationSeconds"], left["disconnectReason"]) == (31, "remoteTeardown")
    assert joined["direction"] == "incoming" and joined["verified"] is True
    assert abs(reply["currentTime"] - datetime.datetime.utcnow()) < datetime.timedelta(minutes=5)


def test_batch_after_batch(records):
    found, index, batches = [], None, 0
    while True:
        reply = records.call("cdrlog.enumerate", **({} if index is None else {"index": index}))
        found += indices(reply)
        index = reply["nextIndex"]
        batches += 1
        if not reply["eventsRemaining"]:
            break
    assert (found, batches, index) == (list(range(1, 51)), 3, 51)
    # The next one to come.
    reply = records.call("cdrlog.enumerate", index=51)
    assert (indices(reply), reply["startIndex"], reply["nextIndex"]) == ([], 51, 51)


@pytest.mark.parametrize("members, wanted", [
    ({"index": -1, "numEvents": 1}, [1]),
    ({"index": 0, "numEvents": 1}, [1]),
    ({"index": 52, "numEvents": 1}, [1]),
    ({"index": 2**31 - 1, "numEvents": 1}, [1]),
    ({"index": -2**31, "numEvents": 1}, [1]),
    ({"index": 50}, [50]),
    ({"numEvents": 20}, list(range(1, 21))),
    ({"numEvents": 21}, list(range(1, 21))),
    ({"numEvents": 0}, list(range(1, 21))),
    ({"numEvents": -5}, list(range(1, 21))),
    ({"filter": ["participantLeft"], "numEvents": 3}, [2, 4, 6]),
    ({"filter": ["participantJoined"], "index": 48}, [49]),
    ({"filter": ["participantJoined", "participantLeft"], "numEvents": 2}, [1, 2]),
    ({"filter": TYPES, "numEvents": 2}, [1, 2]),
    ({"filter": TYPES[:3]}, []),
    ({"filter": [], "numEvents": 2}, [1, 2]),
    ({"newestFirst": True, "numEvents": 2}, [50, 49]),
    ({"newestFirst": True, "index": 2}, [2, 1]),
])
def test_which_are_given(records, members, wanted):
    assert indices(records.call("cdrlog.enumerate", **members)) == wanted


@pytest.mark.parametrize("members, code", [
    ({"filter": ["nonsense"]}, 102),
    ({"filter": "participantLeft"}, 103),
    ({"filter": [1]}, 103),
    ({"index": "1"}, 103),
    ({"numEvents": True}, 103),
])
def test_what_is_refused(records, members, code):
    assert fault(records, "cdrlog.enumerate", **members)[0] == code


def test_only_administrators(archive, records):
    archive.local().call("user.add", userName="reader", password="Right pass 1",
                         forceChange=False, privilege="conference creation and full control")
    reader = archive.api("reader", "Right pass 1")
    for method, members in [("cdrlog.enumerate", {}), ("cdrlog.query", {}),
                            ("cdrlog.delete", {"deleteIndex": 9})]:
        assert fault(reader, method, **members)[0] == 15
        assert fault(archive.anonymous(), method, **members)[0] == 14


def test_deletion(fresh_service):
    records = fill(fresh_service)
    assert fault(records, "cdrlog.delete")[0] == 101
    for index, deleted in (-7, 0), (1, 0), (11, 10), (11, 0):
        assert records.call("cdrlog.delete", deleteIndex=index) == {
            "status": "operation successful", "deleted": deleted}
    state = records.call("cdrlog.query")
    assert (state["firstIndex"], state["deleteableIndex"], state["numEvents"]) == (11, 50, 40)
    # What is asked for is gone: from the oldest that is left.
    reply = records.call("cdrlog.enumerate", index=3, numEvents=1)
    assert (reply["startIndex"], indices(reply), reply["nextIndex"]) == (11, [11], 12)
    done = fresh_service.ctl("--json", "call", "cdrlog.delete", f"deleteIndex={50 + 1}")
    assert done.returncode == 0 and json.loads(done.stdout)["deleted"] == 40, done
    state = records.call("cdrlog.query")
    assert (state["firstIndex"], state["deleteableIndex"], state["numEvents"]) == (51, 50, 0)


def test_over_a_restart_and_a_kill(service):
    api = service.api()
    first = api.call("cdrlog.query")["deleteableIndex"] + 1
    api.call("cdrlog.delete", deleteIndex=first)
    write_records(service, 4)
    before = api.call("cdrlog.enumerate")["events"]
    assert [e["index"] for e in before] == list(range(first, first + 4))
    service.stop().start()
    assert service.api().call("cdrlog.enumerate")["events"] == before
    service.kill()
    service.start()
    assert service.api().call("cdrlog.enumerate")["events"] == before


def test_the_room_for_them():
    with Service() as service:
        write_records(service, 1500)
        state = service.api().call("cdrlog.query")
        assert (state["numEvents"], state["percentageCapacity"]) == (1500, 1)


# --- of real calls

def events_of(api, name):
    return [e for e in api.call("cdrlog.enumerate", index=0)["events"]
            if e["participantName"].startswith(name)]


def wait_events(api, name, count):
    wait_for(lambda: len(events_of(api, name)) == count, what=f"{count} records of {name}")
    return events_of(api, name)


def test_records_of_calls(service):
    """Somebody calls and hangs up; is hung up on; is there when the service
    ends."""
    api = service.api()
    api.call("cdrlog.delete", deleteIndex=10**6)
    caller = Caller(service, "first").call()
    joined, = wait_events(api, caller.uri, 1)
    assert joined["type"] == "participantJoined" and joined["conferenceName"] == "Echo"
    assert (joined["direction"], joined["transport"]) == ("incoming", "TLS")
    assert joined["address"].startswith(caller.uri) and joined["mediaEncryption"] == "unencrypted"
    assert joined["tlsVersion"].startswith("TLSv1.") and joined["cipher"]
    assert joined["verified"] is False
    caller.hang_up()
    joined, left = wait_events(api, caller.uri, 2)
    assert left["type"] == "participantLeft" and left["disconnectReason"] == "remoteTeardown"
    assert 0 <= left["durationSeconds"] < 60 and left["index"] == joined["index"] + 1
    caller.close()

    caller = Caller(service, "second").call()
    wait_events(api, caller.uri, 1)
    call, = api.call("calls.enumerate")["calls"]
    assert call["participantName"] == events_of(api, caller.uri)[0]["participantName"]
    api.call("calls.disconnect", callId=call["callId"])
    caller.wait_for_bye()
    assert wait_events(api, caller.uri, 2)[1]["disconnectReason"] == "disconnectAll"
    caller.close()

    caller = Caller(service, "fourth").call()
    wait_events(service.api(), caller.uri, 1)
    # The end hangs up, and waits for the answer.
    ends = threading.Thread(target=service.stop)
    ends.start()
    caller.wait_for_bye()
    ends.join()
    caller.close()
    service.start()
    joined, left = events_of(service.api(), caller.uri)
    assert left["disconnectReason"] == "disconnectAll"


def test_calls_at_a_kill(service):
    """Each that was up has its end at the next start, and only once."""
    api = service.api()
    api.call("cdrlog.delete", deleteIndex=10**6)
    gone = Caller(service, "gone").call()
    wait_events(api, gone.uri, 1)
    gone.hang_up()
    wait_events(api, gone.uri, 2)
    callers = [Caller(service, f"up{n}").call() for n in range(3)]
    for caller in callers:
        wait_events(api, caller.uri, 1)
    before = api.call("cdrlog.enumerate")["events"]
    killed_at = datetime.datetime.utcnow().replace(microsecond=0)
    service.kill()
    for caller in (gone, *callers):
        caller.close()
    service.start()
    api = service.api()
    events = api.call("cdrlog.enumerate")["events"]
    # What was acknowledged by reading it is there.
    assert events[:len(before)] == before and len(events) == len(before) + 3
    for caller in callers:
        joined, left = events_of(api, caller.uri)
        assert left["type"] == "participantLeft" and left["index"] > before[-1]["index"]
        assert left["disconnectReason"] == "serviceInterrupted"
        assert 0 <= left["durationSeconds"] < 60
        assert killed_at <= left["time"] <= datetime.datetime.utcnow()
        same = MEMBERS - {"time", "type", "index"}
        assert {k: left[k] for k in same} == {k: joined[k] for k in same}
    assert len(events_of(api, gone.uri)) == 2
    assert api.call("calls.enumerate")["calls"] == []
    wait_for(lambda: service.local().call("eventlog.enumerate", filter={
        "text": "3 calls had not ended"})["events"], what="the event")

    # Neither another kill nor an end tells of them again.
    service.kill()
    service.start()
    service.stop()
    service.start()
    assert service.api().call("cdrlog.enumerate")["events"] == events


def test_calls_at_an_end_without_answers(service):
    """Who does not answer the BYE has his record all the same."""
    api = service.api()
    api.call("cdrlog.delete", deleteIndex=10**6)
    callers = [Caller(service, f"deaf{n}").call() for n in range(3)]
    for caller in callers:
        wait_events(api, caller.uri, 1)
    service.stop()
    for caller in callers:
        assert caller.read().method == "BYE"
        caller.close()
    service.start()
    for caller in callers:
        _, left = events_of(service.api(), caller.uri)
        assert left["disconnectReason"] == "disconnectAll"


def test_many_calls(service, tmp_path):
    """As many as come: each has its two records, in order."""
    api = service.local()
    api.call("cdrlog.delete", deleteIndex=10**6)
    api.call("services.modify", services=[{"name": "sip_udp", "setting": True}])
    calls = 300
    with Sipp(tmp_path, "call", service.sip, calls=calls, rate=100, limit=100) as sipp:
        sipp.succeed()

    def kinds():
        found, index = [], 0
        while True:
            reply = api.call("cdrlog.enumerate", index=index)
            found += [(e["type"], e["participantName"]) for e in reply["events"]]
            index = reply["nextIndex"]
            if not reply["eventsRemaining"]:
                return found

    wait_for(lambda: len(kinds()) == 2 * calls, what="all records")
    found = kinds()
    joined = [name for kind, name in found if kind == "participantJoined"]
    left = [name for kind, name in found if kind == "participantLeft"]
    assert len(joined) == len(left) == calls and sorted(joined) == sorted(left)
    for name in set(joined):
        own = [kind for kind, n in found if n == name]
        assert own == ["participantJoined", "participantLeft"] * (len(own) // 2)
    state = api.call("cdrlog.query")
    assert (state["numEvents"], state["lost"]) == (2 * calls, 0)
    assert api.call("calls.enumerate")["calls"] == []
