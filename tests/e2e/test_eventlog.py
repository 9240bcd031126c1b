# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log: levels, filters, limits, what survives what."""

import datetime
import json
import os
import signal
import socket
import sqlite3
import subprocess
import urllib.request
import xmlrpc.client

import pytest

from sealbridge_service import BUILD, wait_for

LEVELS = ["error", "warning", "info", "trace", "detailedTrace"]


def events(api, **members):
    return api.call("eventlog.enumerate", numEvents=200, **members)["events"]


def all_events(api):
    """Batch by batch, as a client does."""
    found, index = [], 0
    while True:
        reply = api.call("eventlog.enumerate", index=index, numEvents=200)
        found += reply["events"]
        index = reply["nextIndex"]
        if not reply["eventsRemaining"]:
            return found


def fault_of(api, method, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call(method, **members)
    return caught.value.faultString


def stranger_says(port, data):
    """Bytes to a port, and whatever comes back until it is closed."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.settimeout(20)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
        except OSError:
            pass  # refused in the middle of it


def test_events_of_a_start(service):
    api = service.api()
    found = wait_for(
        lambda: [e for e in all_events(api) if "is ready" in e["message"]], what="the event")
    assert set(found[0]) == {"index", "time", "milliseconds", "level", "group", "message"}
    assert found[0]["level"] == "info" and found[0]["group"] == "app"
    assert 0 <= found[0]["milliseconds"] < 1000
    state = api.call("eventlog.query")
    assert state["level"] == "info" and state["suppressed"] == 0
    assert {"app", "http", "https", "token"} <= set(state["groups"])
    assert state["firstIndex"] == 1
    assert state["numEvents"] == state["lastIndex"]
    assert state["settings"][0]["name"] == "level"
    assert [c["value"] for c in state["settings"][0]["choices"]] == LEVELS


def test_only_administrators(service):
    service.local().call("user.add", userName="reader", password="Right pass 1",
                         forceChange=False, privilege="conference list only")
    reader = service.api("reader", "Right pass 1")
    for method, members in [("eventlog.enumerate", {}), ("eventlog.query", {}),
                            ("eventlog.configure", {"level": "error"}), ("eventlog.delete", {})]:
        assert "privilege" in fault_of(reader, method, **members)
        assert "authorization" in fault_of(service.anonymous(), method, **members)


def test_level_counts_at_once(service):
    api = service.api()

    def marks(text):
        return [e["level"] for e in all_events(api) if text in e["message"]]

    start = api.call("auditlog.query")["lastIndex"] + 1
    try:
        api.call("eventlog.configure", level="trace")
        stranger_says(service.https, b"GET /first-mark HTTP/1.1\r\n\r\n")
        wait_for(lambda: marks("plain HTTP on a TLS port"), what="the trace")
        before = len(marks("plain HTTP on a TLS port"))
        assert set(marks("plain HTTP on a TLS port")) == {"trace"}
        api.call("eventlog.configure", level="info")
        stranger_says(service.https, b"GET /second-mark HTTP/1.1\r\n\r\n")
        assert len(marks("plain HTTP on a TLS port")) == before
    finally:
        api.call("eventlog.configure", level="info")
    changed = [r for r in api.call("auditlog.enumerate", index=start, numEvents=200,
                                   filter={"event": "settingChanged"})["events"]
               if "eventlog.level" in r["detail"]]
    assert len(changed) == 2


def test_traces_tell_of_calls_and_connections(service):
    api = service.api()

    def told(level, group, words):
        return [e for e in events(api, newestFirst=True, filter={"group": group})
                if e["level"] == level and words in e["message"]]

    try:
        api.call("eventlog.configure", level="trace")
        api.call("token.query")
        wait_for(lambda: told("trace", "api", "token.query by admin from 127.0.0.1"),
                 what="the call")
        assert not told("detailedTrace", "https", "connection from")
        # Whoever looks at the log all the time does not fill it.
        assert not told("trace", "api", "eventlog.enumerate by")
        api.call("eventlog.configure", level="detailedTrace")
        stranger_says(service.https, b"")
        wait_for(lambda: told("detailedTrace", "https", "connection from 127.0.0.1 port"),
                 what="the connection")
    finally:
        api.call("eventlog.configure", level="info")


def test_filters(service):
    api = service.api()
    everything = all_events(api)

    def known(**members):
        """Without what came after the list: events are written behind the calls they tell of."""
        return [e for e in events(api, **members) if e["index"] <= everything[-1]["index"]]

    for level in LEVELS:
        graver = LEVELS[:LEVELS.index(level) + 1]
        assert known(filter={"level": level}) == \
            [e for e in everything if e["level"] in graver][:200]
    assert known(filter={"group": "token"}) == \
        [e for e in everything if e["group"] == "token"]
    assert known(filter={"text": "IS READY"}) == \
        [e for e in everything if "is ready" in e["message"]]
    assert events(api, filter={"text": "no event says that"}) == []
    ready = events(api, filter={"text": "is ready"})[0]
    at = ready["time"]
    second = datetime.timedelta(seconds=1)
    assert ready in events(api, filter={"since": at, "until": at})
    assert ready not in events(api, filter={"since": at + second})
    assert ready not in events(api, filter={"until": at - second})
    assert events(api, filter={"since": at + second, "until": at - second}) == []
    down = events(api, newestFirst=True)
    assert [e["index"] for e in down] == sorted((e["index"] for e in down), reverse=True)
    assert down[-1]["index"] == 1 and down[0]["index"] >= everything[-1]["index"]
    two = api.call("eventlog.enumerate", newestFirst=True, index=4, numEvents=2)
    assert [e["index"] for e in two["events"]] == [4, 3]
    assert two["eventsRemaining"] and two["nextIndex"] == 2
    end = api.call("eventlog.enumerate", newestFirst=True, index=2, numEvents=2)
    assert [e["index"] for e in end["events"]] == [2, 1] and not end["eventsRemaining"]
    assert events(api, index=2**31 - 1) == []


@pytest.mark.parametrize("method,members,words", [
    ("eventlog.enumerate", {"index": -1}, "index"),
    ("eventlog.enumerate", {"index": "1"}, "index"),
    ("eventlog.enumerate", {"numEvents": 0}, "numEvents"),
    ("eventlog.enumerate", {"numEvents": 201}, "numEvents"),
    ("eventlog.enumerate", {"newestFirst": "yes"}, "newestFirst"),
    ("eventlog.enumerate", {"filter": "error"}, "filter"),
    ("eventlog.enumerate", {"filter": {"level": "fatal"}}, "filter.level"),
    ("eventlog.enumerate", {"filter": {"level": ""}}, "filter.level"),
    ("eventlog.enumerate", {"filter": {"levels": "error"}}, "no member \"levels\""),
    ("eventlog.enumerate", {"filter": {"group": "x" * 64}}, "filter.group"),
    ("eventlog.enumerate", {"filter": {"text": "x" * 256}}, "filter.text"),
    ("eventlog.enumerate", {"filter": {"since": "yesterday"}}, "filter.since"),
    ("eventlog.enumerate", {"filter": {"until": 5}}, "filter.until"),
    ("eventlog.configure", {}, "level"),
    ("eventlog.configure", {"level": "debug"}, "level"),
    ("eventlog.configure", {"level": "info'; DROP TABLE event; --"}, "level"),
    ("eventlog.configure", {"level": 3}, "level"),
    ("eventlog.configure", {"level": "i" * 100000}, "level"),
])
def test_refused(service, method, members, words):
    assert words in fault_of(service.api(), method, **members)


def test_hostile_filters_find_nothing(service):
    api = service.api()
    for text in ["' OR 1=1 --", "%", "_", "<script>alert(1)</script>", "\u202e", "*"]:
        assert events(api, filter={"group": text}) == []
    assert events(api, filter={"text": "%%%"}) == []


def test_new_events_are_seen_by_polling(service):
    api = service.api()
    at = api.call("eventlog.enumerate", numEvents=1, newestFirst=True)["events"][0]["index"] + 1
    api.call("eventlog.configure", level="trace")
    try:
        stranger_says(service.https, b"GET / HTTP/1.1\r\n\r\n")
        new = wait_for(lambda: events(api, index=at), what="a new event")
        assert new[0]["index"] == at
    finally:
        api.call("eventlog.configure", level="info")


def test_texts_of_strangers_are_one_line(service):
    api = service.api()
    api.call("eventlog.configure", level="trace")
    try:
        evil = "<b>evil</b>\x7f\n2026-01-01 error app: forged"
        body = xmlrpc.client.dumps(({evil.replace("\x7f", ""): 1, **api.always},),
                                   "device.query")
        request = urllib.request.Request(
            service.http_url + "/RPC2", body.encode(), {"Content-Type": "text/xml"})
        urllib.request.urlopen(request, timeout=20).read()
        found = wait_for(lambda: events(api, newestFirst=True, filter={"text": "<b>evil</b>"}),
                         what="the event")
    finally:
        api.call("eventlog.configure", level="info")
    assert "\\x0a2026-01-01 error app: forged" in found[0]["message"]
    assert "\n" not in found[0]["message"]
    assert not [line for line in service.log().splitlines() if line.startswith("2026-01-01")]
    before = len(events(api, filter={"text": "<b>evil</b>"}))
    listed = service.ctl("events", "list", "--text", "<b>evil</b>").stdout
    after = len(events(api, filter={"text": "<b>evil</b>"}))  # more may have come meanwhile
    assert before <= len(listed.splitlines()) <= after and "\x1b" not in listed


def test_ctl(service):
    api = service.api()
    before = [e["index"] for e in all_events(api)]
    lines = service.ctl("events", "list").stdout.splitlines()
    listed = [int(line.split()[0]) for line in lines]
    after = [e["index"] for e in all_events(api)]  # more may have come meanwhile
    assert before and before == listed[:len(before)] and listed == after[:len(listed)]
    assert any("  info  app  " in line and " UTC  " in line for line in lines)
    found = [json.loads(line) for line in
             service.ctl("--json", "events", "list", "--group", "token").stdout.splitlines()]
    assert found and {e["group"] for e in found} == {"token"}
    assert service.ctl("events", "list", "--since", "2001-01-01T00:00:00Z",
                       "--until", "20010101T00:00:01").stdout == ""
    for args, code, words in [
            (("list", "more"), 2, "too many"), (("list", "--since", "soon"), 2, "not a time"),
            (("list", "--colour", "red"), 2, "unknown option"),
            (("list", "--level", "loud"), 1, "filter.level"),
            (("delete", "all"), 2, "too many"), (("follow", "x"), 2, "too many")]:
        done = service.ctl("events", *args)
        assert done.returncode == code and words in done.stderr and done.stdout == "", args


def test_ctl_follow(service):
    api = service.api()
    process = subprocess.Popen(
        [BUILD / "sealbridgectl", "--socket", service.control_socket, "events", "follow"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert int(process.stdout.readline().split()[0]) > 0
        api.call("eventlog.configure", level="trace")
        stranger_says(service.https, b"GET / HTTP/1.1\r\n\r\n")
        while "plain HTTP on a TLS port" not in process.stdout.readline():
            assert process.poll() is None
    finally:
        api.call("eventlog.configure", level="info")
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def test_delete(make_service):
    service = make_service()
    api = service.api()
    before = api.call("eventlog.query")
    assert before["numEvents"] > 0
    done = service.ctl("events", "delete")
    assert done.returncode == 0, done.stderr
    after = api.call("eventlog.query")
    assert after["lastIndex"] >= before["lastIndex"]
    assert after["firstIndex"] > before["lastIndex"]
    assert not [e for e in all_events(api) if e["index"] <= before["lastIndex"]]
    record = api.call("auditlog.enumerate", newestFirst=True, numEvents=1,
                      filter={"event": "eventLogDeleted"})["events"][0]
    assert int(record["detail"].removeprefix("deleted: ")) >= before["numEvents"]


def test_strangers_cannot_fill_the_log(make_service):
    """Garbage for TLS and refused log-ins, as fast as one client can."""
    service = make_service()
    api = service.api()
    before = api.call("eventlog.query")["lastIndex"]
    lines = len(service.log().splitlines())
    for _ in range(500):
        stranger_says(service.https, b"\x16\x03\x01\x02\x00" + os.urandom(40))
    stranger = service.api("nobody", "wrong")
    for _ in range(4):
        with pytest.raises(xmlrpc.client.Fault):
            stranger.call("device.query")
    assert api.call("eventlog.query")["lastIndex"] - before < 100
    assert len(service.log().splitlines()) - lines < 100


def test_floods_are_bounded(make_service):
    """Far more traces than anybody reads, in few requests."""
    service = make_service()
    api = service.api()
    api.call("eventlog.configure", level="trace")
    for _ in range(3):
        api.call("device.query", **{f"member{n}": 1 for n in range(2000)})
    api.call("eventlog.configure", level="info")
    state = api.call("eventlog.query")
    assert state["suppressed"] > 3000
    assert state["lastIndex"] < 3000
    assert sum(f.stat().st_size for f in service.state.glob("**/events.db*")) < 8 << 20
    assert len(service.log().splitlines()) < 3000
    # What was there before still is, and later events find their place.
    assert [e for e in all_events(api) if "is ready" in e["message"]]
    service.stop()
    service.start()
    told = [e for e in all_events(service.api()) if "were suppressed" in e["message"]]
    assert told and told[0]["group"] == "api" and told[0]["level"] == "trace"


def test_refusals_cannot_push_records_out(make_service):
    """Of calls without the privilege, as many as one peer can cause."""
    service = make_service()
    service.local().call("user.add", userName="low", password="Right pass 1",
                         forceChange=False, privilege="conference list only")
    low = service.api("low", "Right pass 1")
    calls = [{"methodName": "user.enumerate"}] * 16
    for _ in range(12):
        low.call("system.batch", calls=calls)
    api = service.api()

    def records(event):
        return api.call("auditlog.enumerate", numEvents=200,
                        filter={"event": event})["events"]

    denied = records("accessDenied")
    assert 90 <= len(denied) < 110 and {r["userName"] for r in denied} == {"low"}
    service.stop()
    service.start()
    api = service.api()
    # One a minute, and the rest at the end.
    told = [r["detail"].rpartition(": ") for r in records("recordsSuppressed")]
    assert told and {words for words, _, _ in told} == {"event: accessDenied; count"}
    assert sum(int(count) for _, _, count in told) == 12 * 16 - len(denied)


def test_survive_restart_and_kill(make_service):
    service = make_service()
    api = service.api()
    first = all_events(api)[0]
    service.ctl("call", "device.restart")
    wait_for(lambda: service.log().count("is ready") == 2, what="the restart")
    service.wait_ready()
    assert all_events(service.api())[0] == first
    api = service.api()
    api.call("eventlog.configure", level="trace")
    stranger_says(service.https, b"GET / HTTP/1.1\r\n\r\n")
    wait_for(lambda: events(api, filter={"text": "plain HTTP"}), what="the trace")
    last = all_events(api)[-1]
    service.kill()
    service.start()
    found = all_events(service.api())
    assert found[0] == first and last in found
    assert not [e for e in found if "was replaced" in e["message"]]
    assert service.api().call("eventlog.query")["level"] == "trace"


def test_restart_log_tells_why(make_service):
    service = make_service()

    def last():
        return service.local().call("device.restartlog.query")["log"][-1]

    assert (last()["reason"], last()["detail"]) == ("Cold boot", "the first start")
    service.kill()
    service.start()
    assert (last()["reason"], last()["detail"]) == (
        "unknown", "the service crashed or was killed")
    service.stop()
    service.start()
    assert (last()["reason"], last()["detail"]) == ("Cold boot", "the service was started")
    service.api().call("device.restart")
    wait_for(lambda: service.log().count("is ready") == 4, what="the restart")
    assert (last()["reason"], last()["detail"]) == (
        "User requested reboot from API", "by admin from 127.0.0.1")
    os.kill(service.pid, signal.SIGHUP)
    wait_for(lambda: service.log().count("is ready") == 5, what="the restart")
    assert (last()["reason"], last()["detail"]) == (
        "User requested reboot from console", "by the signal HUP")
    assert len(service.local().call("device.restartlog.query")["log"]) == 5
    # An older program ran before this one.
    service.stop()
    (mark,) = service.state.glob("**/last-run")
    mark.write_text("0.0.1\nsome-boot\n")
    service.start()
    assert last()["reason"] == "User requested upgrade"
    assert last()["detail"].startswith("0.0.1 -> ")


def test_damaged_file_is_replaced(make_service):
    service = make_service()
    (database,) = service.state.glob("**/events.db")
    service.stop()
    database.write_bytes(b"this is no database" * 1000)
    service.start()
    found = wait_for(
        lambda: [e for e in all_events(service.api()) if "was replaced" in e["message"]],
        what="the warning")
    assert len(found) == 1 and found[0]["level"] == "warning"
    assert database.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(database, timeout=20) as db:
        db.execute("DROP TABLE event")
    db.close()
    api = service.api()
    api.call("eventlog.configure", level="trace")

    def repaired():
        stranger_says(service.https, b"GET / HTTP/1.1\r\n\r\n")
        try:
            return events(api, filter={"text": "plain HTTP"})
        except xmlrpc.client.Fault:
            return None

    wait_for(repaired, what="a new file")
