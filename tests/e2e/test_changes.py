# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes on trial: confirmed, reverted by time, by request, after kill -9 and
by rescue; the settings of verification and security."""

import ssl
import time
import xmlrpc.client

import pytest

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import free_ports, wait_for


def fault(code, words, call, *args, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*args, **members)
    assert caught.value.faultCode == code, caught.value
    assert words in caught.value.faultString, caught.value


def mode(service):
    return service.local().call("verification.query")["clientCertificate"]


def minimum(service):
    return service.local().call("security.query")["minimumVersion"]


def changes(service):
    return service.local().call("change.query")["changes"]


def events(service, name):
    found, index = [], 1
    while True:
        part = service.local().call("auditlog.enumerate", index=index, numEvents=200)
        found += part["events"]
        if not part["eventsRemaining"]:
            return [e for e in found if e["event"] == name]
        index = found[-1]["index"] + 1


def begin(service, seconds=3600, **members):
    """On trial, from the control socket; tls.minimumVersion by default."""
    reply = service.local().call(
        "security.modify", confirmWithinSeconds=seconds, **(members or {"minimumVersion": "1.3"}))
    assert seconds - 5 <= reply["secondsLeft"] <= seconds
    return reply["changeId"]


@pytest.fixture
def settled(service):
    yield service
    for change in changes(service):
        service.local().call("change.revert", changeId=change["changeId"])
    service.local().call("security.modify", minimumVersion="1.2", webSessionTimeoutMinutes=30)


# --- the settings

def test_queries(service):
    for group, names in (
            ("verification", {"clientCertificate", "serverCertificate", "sip"}),
            ("security", {"redirectHttp", "advancedAccounts", "webSessionTimeoutMinutes",
                          "requireLogin", "timeoutMinutes", "minimumVersion"})):
        reply = service.api().call(group + ".query")
        assert {s["name"] for s in reply["settings"]} == names
        for row in reply["settings"]:
            assert row["label"] and row["help"]
            assert type(row["default"]) is type(reply[row["name"]])
            if row["type"] == "choice":
                assert reply[row["name"]] in [c["value"] for c in row["choices"]]
                assert all(c["label"] for c in row["choices"])
            if row["type"] == "int":
                assert row["minimum"] <= reply[row["name"]] <= row["maximum"]
            assert isinstance(row["canLockOut"], bool) and isinstance(row["needsRestart"], bool)


def test_modify_is_recorded(settled):
    settled.api().call("security.modify", webSessionTimeoutMinutes=17, minimumVersion="1.2")
    assert settled.api().call("security.query")["webSessionTimeoutMinutes"] == 17
    found = [e for e in events(settled, "settingChanged") if "imeoutMinutes" in e["detail"]]
    assert found[-1]["detail"] == "setting: security.webSessionTimeoutMinutes; from: 30; to: 17"
    assert found[-1]["userName"] == "admin"
    # What stays as it is, is no change.
    assert not [e for e in events(settled, "settingChanged") if "from: 1.2; to: 1.2" in e["detail"]]


HOSTILE = {
    "nothing": ("verification.configure", {}, 102, "no setting"),
    "only others": ("verification.configure", {"x": 1, "minimumVersion": "1.3"}, 102, "no setting"),
    "unknown value": ("verification.configure", {"clientCertificate": "must"}, 102,
                      "notRequired verify allowed required"),
    "case": ("verification.configure", {"serverCertificate": "Verify"}, 102, "none verify"),
    "empty": ("verification.configure", {"sip": ""}, 102, "none outgoing"),
    "long": ("verification.configure", {"sip": "x" * 100000}, 102, "more than 31"),
    "type": ("verification.configure", {"sip": True}, 103, "sip"),
    "two choices": ("verification.configure", {"serverCertificate": "none verify"}, 102, "none of"),
    "bool as string": ("security.modify", {"redirectHttp": "yes"}, 103, "redirectHttp"),
    "int below": ("security.modify", {"webSessionTimeoutMinutes": 0}, 102, "1 to 60"),
    "int above": ("security.modify", {"timeoutMinutes": 61}, 102, "1 to 60"),
    "version": ("security.modify", {"minimumVersion": "1.1"}, 102, "1.2 1.3"),
    "one good, one bad": ("security.modify", {"webSessionTimeoutMinutes": 5,
                                              "minimumVersion": "x"}, 102, "1.2 1.3"),
    "trial too short": ("security.modify", {"minimumVersion": "1.3",
                                            "confirmWithinSeconds": 9}, 102, "10 to 3600"),
    "trial too long": ("security.modify", {"minimumVersion": "1.3",
                                           "confirmWithinSeconds": 3601}, 102, "10 to 3600"),
    "trial of nothing": ("security.modify", {"minimumVersion": "1.2",
                                             "confirmWithinSeconds": 10}, 102, "nothing would"),
    "no id": ("change.confirm", {}, 101, "changeId"),
    "unknown id": ("change.confirm", {"changeId": "0123456789abcdef"}, 1008, "no such change"),
    "empty id": ("change.revert", {"changeId": ""}, 1008, "no such change"),
    "long id": ("change.revert", {"changeId": "0" * 32}, 102, "31"),
    "id in SQL": ("change.revert", {"changeId": "' OR 1=1 --"}, 1008, "no such change"),
}


@pytest.mark.parametrize("row", HOSTILE)
def test_refusals(service, row):
    method, members, code, words = HOSTILE[row]
    before = [service.local().call(m) for m in ("verification.query", "security.query")]
    fault(code, words, service.local().call, method, **members)
    assert before == [service.local().call(m) for m in ("verification.query", "security.query")]
    assert not changes(service)


# --- lock-out

def test_empty_trust_store(fresh_service):
    for members in ({}, {"confirmWithinSeconds": 10}):
        fault(1012, "HTTPS trust store holds no certificate", fresh_service.api().call,
              "verification.configure", clientCertificate="verify", **members)
    shown = fresh_service.api().call("verification.preview", clientCertificate="required")
    assert shown["wouldLockOut"] and "trust store" in shown["reason"] and shown["session"]
    assert mode(fresh_service) == "notRequired"


def test_preview(service):
    shown = service.api().call("verification.preview", serverCertificate="verify")
    assert not shown["wouldLockOut"] and shown["reason"] == "" and "password" in shown["session"]
    assert service.api().call("verification.query")["serverCertificate"] == "none"
    fault(102, "none of", service.api().call, "verification.preview", clientCertificate="x")
    fault(102, "no setting", service.api().call, "verification.preview")


def test_minimum_version_would_lock_out(settled):
    context = settled.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    old = xmlrpc.client.ServerProxy(settled.url + "/RPC2", context=context)
    fault(1007, "TLS 1.2", lambda: old.security.modify(
        {**settled.api().always, "minimumVersion": "1.3"}))
    assert minimum(settled) == "1.2"


# --- trials

def test_confirmed(settled):
    api = settled.api()  # one connection, kept
    trial = begin(settled)
    row, = api.call("change.query")["changes"]
    assert row["changeId"] == trial and row["userName"] == "local" and row["secondsLeft"] > 3500
    assert row["canConfirm"] is True  # this connection is a new one
    assert row["settings"] == [{"name": "tls.minimumVersion", "label": "Minimum TLS version",
                                "from": "1.2", "to": "1.3",
                                "fromText": "1.2", "toText": "1.3"}]
    assert minimum(settled) == "1.3"
    fault(201, trial, settled.api().call, "security.modify", minimumVersion="1.2")
    api.call("change.confirm", changeId=trial)
    fault(1008, "", api.call, "change.confirm", changeId=trial)
    assert not changes(settled) and minimum(settled) == "1.3"
    assert trial in events(settled, "trialConfirmed")[-1]["detail"]


@pytest.mark.parametrize("method, members, words", [
    ("verification.configure", {"sip": "outgoing"}, ("No verification", "Outgoing calls only")),
    ("verification.configure", {"sip": "outgoingAndIncoming"},
     ("No verification", "Outgoing and incoming calls")),
    ("verification.configure", {"serverCertificate": "verify"},
     ("No verification", "Verify certificate")),
    ("security.modify", {"redirectHttp": True}, ("Off", "On")),
    ("security.modify", {"timeoutMinutes": 9}, ("30", "9")),
])
def test_trial_in_words(settled, method, members, words):
    api = settled.local()
    trial = api.call(method, confirmWithinSeconds=600, **members)["changeId"]
    row, = changes(settled)
    value, = row["settings"]
    assert (value["fromText"], value["toText"]) == words
    api.call("change.revert", changeId=trial)


def test_old_connection_cannot_confirm(settled):
    """A connection that stood before the change proves nothing."""
    import http.client
    c = http.client.HTTPSConnection(settled.host, settled.https,
                                    context=settled.context(), timeout=20)

    def call(method, **members):
        body = xmlrpc.client.dumps(({**settled.api().always, **members},), method)
        c.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
        return xmlrpc.client.loads(c.getresponse().read(), use_builtin_types=True)[0][0]

    call("security.query")
    trial = begin(settled)
    assert c.sock  # the old one
    fault(201, "opened before the change", call, "change.confirm", changeId=trial)
    assert changes(settled)
    # The service has ended that connection: the next one is new.
    assert c.sock is None
    call("change.confirm", changeId=trial)
    assert not changes(settled) and minimum(settled) == "1.3"
    # Whoever only looks gets to a new one as well.
    trial = begin(settled, minimumVersion="1.2")
    row, = call("change.query")["changes"]
    assert row["canConfirm"] is False and c.sock is None
    row, = call("change.query")["changes"]
    assert row["canConfirm"] is True and c.sock
    c.close()


def test_reverted_by_request(settled):
    trial = begin(settled, redirectHttp=True, webSessionTimeoutMinutes=9)
    settled.api().call("change.revert", changeId=trial)
    now = settled.api().call("security.query")
    assert now["redirectHttp"] is False and now["webSessionTimeoutMinutes"] == 30
    assert "by request" in events(settled, "trialReverted")[-1]["detail"]


def test_reverted_by_time(settled):
    port, = free_ports(1)
    reply = settled.local().call("services.modify", confirmWithinSeconds=10,
                                 services=[{"name": "https", "port": port}])
    assert settled.wire_certificate(port=port)
    wait_for(lambda: not changes(settled), what="the revert")
    # Behind that: ports, and the record.
    assert settled.wait_ready()  # on the port of before

    def is_closed():
        try:
            return not settled.wire_certificate(port=port)
        except OSError:
            return True

    wait_for(is_closed, what="the end of the other port")
    found = wait_for(lambda: [e["detail"] for e in events(settled, "trialReverted")
                              if reply["changeId"] in e["detail"]], what="the record")
    assert len(found) == 1 and "not confirmed within 10 s" in found[0]


def test_ctl(settled):
    assert settled.ctl("change", "confirm").returncode == 1
    trial = begin(settled)
    done = settled.ctl("change", "confirm")
    assert done.returncode == 0, done.stderr
    assert minimum(settled) == "1.3"
    first = begin(settled, minimumVersion="1.2")
    second = begin(settled, webSessionTimeoutMinutes=9)
    done = settled.ctl("change", "revert")
    assert done.returncode == 1 and first in done.stderr and second in done.stderr
    assert settled.ctl("change", "revert", second).returncode == 0
    assert [c["changeId"] for c in changes(settled)] == [first]
    assert settled.ctl("change", "revert", trial).returncode == 1
    assert settled.ctl("change", "confirm", first, "x").returncode == 2


# --- client certificates, with real connections

@pytest.fixture(scope="module")
def admins(service, tmp_path_factory):
    """A service that trusts an authority, and files of its administrator."""
    folder, root, key = tmp_path_factory.mktemp("admin"), Authority("Admins"), new_key()
    (folder / "admin.pem").write_text(pem(root.issue(key, "admin", names=())))
    (folder / "admin.key").write_text(key_pem(key))
    service.local().call("trustStore.upload", trustStore="https", certificates=root.pem)
    yield folder / "admin.pem", folder / "admin.key"
    service.local().call("trustStore.delete", trustStore="https")


def by_certificate(service, files, **always):
    from sealbridge_service import Api
    return Api(xmlrpc.client.ServerProxy(
        service.url + "/RPC2", context=service.context(client=files), use_builtin_types=True),
        **always)


def is_let_in(service):
    """Without a certificate."""
    try:
        return service.api().call("session.query")
    except (OSError, xmlrpc.client.ProtocolError):
        return None


def test_mode_would_lock_out(service, admins):
    for wanted in "verify", "allowed", "required":
        fault(1007, "confirmWithinSeconds", service.api().call,
              "verification.configure", clientCertificate=wanted)
        shown = service.api().call("verification.preview", clientCertificate=wanted)
        assert shown["wouldLockOut"] and shown["reason"]
    fault(1007, "", service.api(tls=False).call,
          "verification.configure", clientCertificate="required")
    assert mode(service) == "notRequired"


def test_mode_on_trial_confirmed(service, admins):
    """The steps of a careful administrator, with his certificate at last."""
    trial = service.api().call("verification.configure", clientCertificate="allowed",
                               confirmWithinSeconds=60)["changeId"]
    with pytest.raises((OSError, xmlrpc.client.ProtocolError)):
        service.api().call("change.query")
    api = by_certificate(service, admins)
    assert api.call("session.query")["via"] == "certificate"
    api.call("change.confirm", changeId=trial)
    assert mode(service) == "allowed"
    # From here the connection proves itself: no trial is needed.
    by_certificate(service, admins).call("verification.configure", clientCertificate="required")
    with pytest.raises(xmlrpc.client.Fault):
        service.api(tls=False).call("verification.query")
    by_certificate(service, admins).call("verification.configure",
                                         clientCertificate="notRequired")
    assert service.api().call("verification.query")["clientCertificate"] == "notRequired"


def test_mode_on_trial_reverts(service, admins):
    """Nobody comes with a certificate: the way in is open again."""
    service.api().call("verification.configure", clientCertificate="required",
                       confirmWithinSeconds=10)
    with pytest.raises((OSError, xmlrpc.client.ProtocolError)):
        service.api().call("change.query")
    with pytest.raises(xmlrpc.client.Fault):
        service.api(tls=False).call("change.query")
    wait_for(lambda: mode(service) == "notRequired", what="the revert")
    wait_for(lambda: is_let_in(service), what="the way in, behind the setting")
    assert service.api().call("verification.query")["clientCertificate"] == "notRequired"


# --- crashes and restarts

def test_killed_and_over(make_service):
    """kill -9, and the time is over before the next start."""
    service = make_service()
    trial = begin(service, 10)
    service.kill()
    time.sleep(10.5)
    service.start()
    assert minimum(service) == "1.2" and not changes(service)
    over = events(service, "trialReverted")[-1]
    assert over["fields"]["changeId"] == trial and over["userName"] == ""
    assert "did not run" in over["fields"]["reason"]


def test_killed_before_its_time(make_service):
    """It goes on counting, and is no longer for the kill."""
    service = make_service()
    service.ctl("call", "services.modify")  # the service answers
    begun = time.monotonic()
    begin(service, 25)
    service.kill()
    service.start()
    row, = changes(service)
    assert minimum(service) == "1.3" and row["secondsLeft"] <= 25 - (time.monotonic() - begun) + 1
    wait_for(lambda: not changes(service), what="the revert")
    assert minimum(service) == "1.2" and time.monotonic() - begun >= 24


def test_confirmed_after_kill(make_service):
    service = make_service()
    trial = begin(service)
    service.kill()
    service.start()
    service.api().call("change.confirm", changeId=trial)
    service.kill()
    service.start()
    assert minimum(service) == "1.3" and not changes(service)


# --- rescue

def test_rescue(make_service):
    """An administrator who has shut every door behind him."""
    service = make_service()
    local = service.local()
    local.call("verification.configure", clientCertificate="required", force=True)
    local.call("services.modify", services=[{"name": "http", "setting": False}])
    begin(service, webSessionTimeoutMinutes=9)
    local.call("services.modify", services=[{"name": "https", "setting": False}])
    local.call("security.modify", requireLogin=True, force=True)
    with pytest.raises(OSError):
        service.wire_certificate()
    assert service.ctl("status").returncode == 1  # not even here
    done = service.ctl("rescue")
    assert done.returncode == 0, done.stderr
    service.api(tls=False).call("security.modify", requireLogin=False)
    assert mode(service) == "notRequired" and not changes(service)
    assert service.api(tls=False).call("security.query")["webSessionTimeoutMinutes"] == 30
    service.wait_ready()
    assert service.api().call("verification.query")["clientCertificate"] == "notRequired"
    record, = events(service, "rescued")
    assert "reverted: 1" in record["detail"] and record["severity"] == "Severe Warning"


def test_rescue_is_for_root_on_the_device(service):
    fault(15, "insufficient", service.api().call, "change.rescue")
