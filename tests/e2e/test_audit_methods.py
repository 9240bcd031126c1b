# SPDX-License-Identifier: GPL-3.0-or-later
"""Each method of the API and the records that it leaves in the audit log: a row
for every method, called with real effect by everybody who may; and that no
record holds a secret. A method without a row here fails the test."""

import dataclasses
import datetime
import http.client
import json
import re
import ssl
import typing
import xmlrpc.client

import pytest

from certificates import Authority, fingerprint, key_pem, new_key, pem
from sealbridge_service import SOURCE, free_ports, wait_for
from sip_peer import Caller

PASSPHRASE = "Unmistakable-Passphrase-1"
WEB, API, LOCAL = "web", "api", "local"
EVERYBODY = (WEB, API, LOCAL)
# What a record says of its actor, by the way of the call.
MODULE = {WEB: "Web", API: "API", LOCAL: "System"}
VIA = {WEB: "session", API: "password", LOCAL: "local"}
PEER = {WEB: "127.0.0.1", API: "127.0.0.1", LOCAL: "local"}
ANY = re.compile(".+")


class World:
    """A service, the ways to call it, and the secrets that it was told."""

    def __init__(self, service):
        self.service = service
        self.authority = Authority("Test authority")
        self.secrets = {"PIN": service.pin, "admin": service.admin_password,
                        "passphrase": PASSPHRASE}
        self.sessions = {}
        self.count = 0
        self.callers = []

    # --- calls, each on a connection of its own

    def post(self, connection, headers, method, members):
        try:
            connection.request("POST", "/RPC2", xmlrpc.client.dumps((members,), method),
                               {"Content-Type": "text/xml", **headers})
            response = connection.getresponse()
            (reply,), _ = xmlrpc.client.loads(response.read(), use_builtin_types=True)
            return reply, response.getheader("Set-Cookie", "").partition(";")[0]
        finally:
            connection.close()

    def web(self, method, headers=(), **members):
        connection = http.client.HTTPSConnection(
            self.service.host, self.service.https, timeout=60, context=self.service.context())
        return self.post(connection, dict(headers), method, members)

    def log_in(self, user):
        """Headers of a new browser session; the token and the cookie are secrets."""
        reply, cookie = self.web("session.login", userName=user, password=self.secrets[user])
        headers = {"Cookie": cookie, "X-CSRF-Token": reply["csrfToken"]}
        self.secrets[f"cookie {len(self.secrets)}"] = cookie.partition("=")[2]
        self.secrets[f"token {len(self.secrets)}"] = reply["csrfToken"]
        self.sessions[user] = headers
        return headers

    def session(self, user):
        headers = self.sessions.get(user)
        try:
            assert headers
            self.web("session.query", headers)
        except (AssertionError, xmlrpc.client.Fault):
            headers = self.log_in(user)
        return headers

    def call(self, how, user, method, /, **members):
        if how == WEB:
            return self.web(method, self.session(user), **members)[0]
        if how == API:
            return self.web(method, authenticationUser=user,
                            authenticationPassword=self.secrets[user], **members)[0]
        return self.service.local().call(method, **members)

    def local(self, method, **members):
        return self.service.local().call(method, **members)

    # --- records

    def last_index(self):
        return self.local("auditlog.query")["lastIndex"]

    def records(self, after):
        found = []
        while True:
            part = self.local("auditlog.enumerate", index=after + 1, numEvents=200)
            found += part["events"]
            if not part["eventsRemaining"]:
                return found
            after = found[-1]["index"]

    # --- things to work with

    def fresh(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def user(self, privilege="conference detail", **members):
        """A new account; its password is a secret."""
        name = self.fresh("user")
        self.secrets[name] = f"Unmistakable-Word-{name}"
        self.local("user.add", userName=name, password=self.secrets[name],
                   privilege=privilege, **{"forceChange": False, **members})
        return name

    def upload(self):
        """Members of certificate.upload and the certificate; its key is a secret."""
        key = new_key()
        certificate = self.authority.issue(key, self.fresh("device"))
        text = key_pem(key, "pkcs8", PASSPHRASE)
        self.secrets[f"key {len(self.secrets)}"] = text.splitlines()[1]
        self.secrets[f"key {len(self.secrets)}"] = key_pem(key).splitlines()[1]
        return {"certificate": pem(certificate), "privateKey": text,
                "privateKeyPassword": PASSPHRASE}, certificate

    def stored(self):
        return self.local("certificate.query")["local"]


@pytest.fixture(scope="module")
def world(service):
    return World(service)


# --- what is expected

@dataclasses.dataclass
class Row:
    """How a method is called with effect and what that leaves.

    prepare(world, how): whatever must be there first; gives the members of the
    call, or (members, fields). expect: the event, None for none. fields: exactly
    those of its record: a text, a pattern, or fields(world, members, reply)
    gives them. user: whom it is called as. after(world): until it has settled;
    what the service itself records until then does not count."""
    expect: typing.Any = None
    prepare: typing.Callable = lambda world, how: {}
    fields: typing.Any = None
    how: tuple = EVERYBODY
    user: typing.Callable = lambda world: "admin"
    after: typing.Callable = None


def reads(prepare=lambda world, how: {}, **more):
    return Row(None, prepare, **more)


def pair(certificate, prefix=""):
    """Fields of a record about that certificate (of the tests or of a query)."""
    if isinstance(certificate, dict):
        values = (certificate["serialNumber"], certificate["sha256Fingerprint"],
                  certificate["subject"]["text"], certificate["issuer"]["text"])
    else:
        values = (re.compile(f"0*{certificate.serial_number:x}"), fingerprint(certificate),
                  certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string())
    names = ("serialNumber", "fingerprint", "subject", "issuer")
    if prefix:
        names = [prefix + name[0].upper() + name[1:] for name in names[:3]]
    return dict(zip(names, values))


def upload_certificate(world, how):
    former = world.stored()
    members, certificate = world.upload()
    return members, {**pair(certificate), **pair(former, "former")}


def activate(world, how):
    # Twice: what is fixed by the first one would be a record of its own.
    for _ in range(2):
        former = world.local("certificate.query")["active"]
        members, certificate = world.upload()
        world.local("certificate.upload", **members)
        if _ == 0:
            world.local("certificate.activate")
    return {}, {**pair(certificate), **pair(world.local("certificate.query")["active"], "former")}


def delete_certificate(world, how):
    members, certificate = world.upload()
    world.local("certificate.upload", **members)
    return {}, lambda world, members, reply: {**pair(certificate), **pair(world.stored(), "new")}


def key_of(world):
    return world.local("certificate.generateKey", keyType="ecP256")["keyId"]


def request(world, how):
    key = key_of(world)
    return {"keyId": key, "subject": {"cn": "bridge", "o": "Test", "c": "DE"},
            "subjectAltNames": ["DNS:a.example", "IP:192.0.2.1"]}, \
        {"keyId": key, "subject": "CN=bridge, O=Test, C=DE",
         "names": "DNS:a.example, IP:192.0.2.1"}


def setting(method, name, values, full=None, convert=str):
    """A row for a method that changes one of the settings: to whichever of the
    two values it does not have."""
    def prepare(world, how):
        query = method.rpartition(".")[0] + ".query"
        now = world.local(query)[name]
        wanted = values[0] if now != values[0] else values[1]
        return {name: wanted}, {"setting": full or f"{method.partition('.')[0]}.{name}",
                                "from": convert(now), "to": convert(wanted)}
    return Row("settingChanged", prepare)


def yes_no(value):
    return "yes" if value else "no"


def move_sip(world, how):
    services = {s["name"]: s for s in world.local("services.query")["services"]}
    port, = free_ports(1)
    return {"services": [{"name": "sip_tcp", "port": port}]}, \
        {"setting": "services.sip_tcp.port", "from": str(services["sip_tcp"]["port"]),
         "to": str(port)}


def trial(world, how):
    for change in world.local("change.query")["changes"]:
        world.local("change.revert", changeId=change["changeId"])
    now = world.local("security.query")["webSessionTimeoutMinutes"]
    wanted = 40 if now != 40 else 50
    change = world.local("security.modify", webSessionTimeoutMinutes=wanted,
                         confirmWithinSeconds=600)["changeId"]
    return {"changeId": change}, \
        {"changeId": change, "change": re.compile(
            f".*security.webSessionTimeoutMinutes: {now} -> {wanted}")}


def trial_to_revert(world, how):
    members, fields = trial(world, how)
    return members, {**fields, "reason": "by request"}


def rescue(world, how):
    world.local("security.modify", webSessionTimeoutMinutes=33, confirmWithinSeconds=600)
    return {}, {"reverted": ANY, "result": re.compile("client certificate .*redirect off")}


def trust_upload(world, how):
    before = [c["sha256Fingerprint"]
              for c in world.local("trustStore.query", trustStore="sip")["certificates"]]
    kept, new = Authority("Kept"), [Authority("New 1"), Authority("New 2")]
    if before:
        world.local("trustStore.delete", trustStore="sip")
    gone = Authority("Gone")
    world.local("trustStore.upload", trustStore="sip", certificates=kept.pem + gone.pem)
    added = [fingerprint(a.certificate) for a in new]
    return {"trustStore": "sip", "certificates": kept.pem + "".join(a.pem for a in new)}, \
        {"trustStore": "sip", "count": "3", "added": "2", "removed": "1", "kept": "1",
         "addedFingerprints": re.compile("|".join((" ".join(added), " ".join(added[::-1])))),
         "removedFingerprints": fingerprint(gone.certificate)}


def trust_delete(world, how):
    authorities = [Authority(f"Gone {i}") for i in range(8)]
    world.local("trustStore.upload", trustStore="sip",
                certificates="".join(a.pem for a in authorities))
    return {"trustStore": "sip"}, \
        {"trustStore": "sip", "removed": "8",
         "removedFingerprints": re.compile("([0-9a-f]{64} ){5}and 3 more")}


def trust_reset(world, how):
    own = Authority("Own")
    world.local("trustStore.upload", trustStore="callHome", certificates=own.pem)
    return {"trustStore": "callHome"}, lambda world, members, reply: {
        "trustStore": "callHome", "addedFingerprints": re.compile("[0-9a-f]{64}.*"),
        "count": str(len(world.local("trustStore.query", trustStore="callHome")["certificates"])),
        "removedFingerprints": fingerprint(own.certificate)}


def add_user(world, how):
    name = world.fresh("user")
    world.secrets[name] = f"Unmistakable-Word-{name}"
    return {"userName": name, "password": world.secrets[name], "name": "Ann Other",
            "privilege": "conference detail", "disabled": True}, \
        {"user": name, "name": "Ann Other", "privilege": "conference detail", "enabled": "no"}


def modify_user(world, how):
    name = world.user(name="Before", e164="123", disabled=False)
    return {"userName": name, "newUserName": name + "x", "name": "After", "disabled": True,
            "privilege": "conference creation", "e164": "123", "associatedEndpoint": "room",
            "lockPassword": True}, \
        {"user": name, "newUser": name + "x", "nameFrom": "Before", "nameTo": "After",
         "privilegeFrom": "conference detail", "privilegeTo": "conference creation",
         "enabledFrom": "yes", "enabledTo": "no", "lockPasswordFrom": "no",
         "lockPasswordTo": "yes", "endpointTo": "room"}


def delete_user(world, how):
    name = world.user(name="Gone")
    return {"userName": name}, {"user": name, "privilege": "conference detail", "name": "Gone"}


def change_password(world, how):
    name = change_password.name
    former = world.secrets[name]
    world.secrets[name + " former"] = former
    if how == WEB:
        world.session(name)
    wanted = former[::-1]
    world.secrets[name + " new"] = wanted
    return {"currentPassword": former, "newPassword": wanted}, {"user": name}


def new_user(world):
    change_password.name = world.user()
    return change_password.name


def acknowledge(world, how):
    new = [w for w in world.local("security.warnings")["warnings"] if w["state"] == "new"]
    return {"ids": [new[0]["id"]]}, {"warning": new[0]["warning"]}


def log_in(world, how):
    return {"userName": "admin", "password": world.secrets["admin"]}


def use_registrar(world, how):
    port, = free_ports(1)
    world.local("sip.modify", outboundConfiguration="useRegistrar",
                outboundAddress=f"127.0.0.1:{port}", userName="")
    return {}, {"registrar": f"127.0.0.1:{port}"}


def syslog_test(world, how):
    port, = free_ports(1)
    world.local("syslog.configure", enabled=True, server=f"127.0.0.1:{port}")
    return {}, {"server": f"127.0.0.1:{port}", "result": ANY}


def participant(world, **members):
    """Members that name one, and the fields that do."""
    name = world.fresh("participant")
    members = {"conferenceName": "Room", "participantName": name, **members}
    return members, {"conference": "Room", "participant": name, "type": "by_address"}


def add_participant(world, how):
    members, fields = participant(world, address="ann@203.0.113.9", deferConnection=True)
    return members, {**fields, "address": "ann@203.0.113.9"}


def added_participant(world, how):
    members, fields = participant(world)
    world.local("participant.add", address="sip:ann@127.0.0.1:9;transport=udp",
                deferConnection=True, **members)
    return members, fields


def incoming_call(world):
    """The call of somebody who calls us; it is kept until the service ends it."""
    caller = Caller(world.service, world.fresh("caller")).call()
    world.callers.append(caller)
    return wait_for(lambda: [c for c in world.local("calls.enumerate")["calls"]
                             if c["peer"].startswith(caller.uri) and c["state"] == "connected"],
                    what="the call")[0]


def disconnect_caller(world, how):
    name = incoming_call(world)["participantName"]
    return {"conferenceName": "Echo", "participantName": name, "participantType": "ad_hoc"}, \
        {"conference": "Echo", "participant": name, "type": "ad_hoc"}


def disconnect_call(world, how):
    call = incoming_call(world)
    return {"callId": call["callId"]}, {"callId": call["callId"], "address": call["peer"]}


def restart(world, how):
    reason = {WEB: "web interface", API: "API", LOCAL: "console"}[how]
    return {}, {"kind": "restart", "reason": f"User requested reboot from {reason}"}


def is_back(world):
    """Started anew, and all that the service records by itself is there."""
    def events():
        try:
            return {r["event"] for r in world.records(is_back.index)}
        except (OSError, http.client.HTTPException):
            return set()

    wait_for(lambda: events() >= {"serviceStarted", "tokenReady"}, what="the restart")
    world.service.wait_ready()


def prepare_deletion(world, how):
    """Of the two oldest records; there are more."""
    world.user()
    world.user()
    first = world.local("auditlog.query")["firstIndex"]
    return {"deleteIndex": first + 2}, {
        "deleted": "2", "first": str(first), "last": str(first + 1)}


ROWS = {
    "auditlog.enumerate": reads(),
    "auditlog.query": reads(),
    "auditlog.verify": reads(),
    "auditlog.export": reads(),
    "auditlog.delete": Row("auditLogDeleted", prepare=prepare_deletion),
    "calls.enumerate": reads(),
    "calls.disconnect": Row("callDisconnected", disconnect_call),
    "cdrlog.enumerate": reads(),
    "cdrlog.query": reads(),
    "cdrlog.delete": Row("cdrLogDeleted", lambda world, how: {"deleteIndex": 0},
                         {"deleted": "0", "deleteIndex": "0"}),
    "certificate.query": reads(),
    "certificate.examine": reads(lambda world, how: world.upload()[0]),
    "certificate.upload": Row("certificateUploaded", upload_certificate),
    "certificate.activate": Row("certificateActivated", activate),
    "certificate.delete": Row("certificateDeleted", delete_certificate),
    "certificate.generateKey": Row(
        "keyGenerated", lambda world, how: {"keyType": "ecP256"},
        lambda world, members, reply: {"keyType": "ecP256", "keyId": reply["keyId"]}),
    "certificate.createRequest": Row("requestCreated", request),
    "certificate.deleteKey": Row(
        "keyDeleted", lambda world, how: {"keyId": key_of(world)},
        lambda world, members, reply: {"keyId": members["keyId"]}),
    "change.query": reads(),
    "change.confirm": Row("trialConfirmed", trial),
    "change.revert": Row("trialReverted", trial_to_revert),
    "change.rescue": Row("rescued", rescue, how=(LOCAL,)),
    "device.query": reads(),
    "device.health.query": reads(),
    "device.network.query": reads(),
    "device.restartlog.query": reads(),
    "device.restart": Row("restartRequested", restart, after=is_back),
    "eventlog.enumerate": reads(),
    "eventlog.query": reads(),
    "eventlog.configure": setting("eventlog.configure", "level", ("warning", "info")),
    "eventlog.delete": Row("eventLogDeleted", fields={"deleted": re.compile("[0-9]+")}),
    "security.query": reads(),
    "security.modify": setting("security.modify", "webSessionTimeoutMinutes", (25, 26)),
    "security.warnings": reads(),
    "participant.add": Row("participantAdded", add_participant),
    "participant.connect": Row("participantCalled", added_participant),
    "participant.disconnect": Row("participantDisconnected", disconnect_caller),
    "participant.remove": Row("participantRemoved", added_participant),
    "participant.status": reads(lambda world, how: added_participant(world, how)[0]),
    "participant.enumerate": reads(lambda world, how: {"operationScope": ["currentState"]}),
    "security.acknowledgeWarnings": Row("securityWarningAcknowledged", acknowledge),
    "services.query": reads(),
    "services.modify": Row("settingChanged", move_sip),
    "session.login": Row("login", log_in, {}, how=(WEB,)),
    "session.loginWay": reads(),
    "session.query": reads(),
    "session.logout": Row("logout", fields={"reason": "request"}, how=(WEB,)),
    "sip.query": reads(),
    "sip.modify": setting("sip.modify", "outgoingTransport", ("tcp", "udp")),
    "sip.register": Row("sipRegistrationRequested", use_registrar),
    "syslog.query": reads(),
    "syslog.configure": setting("syslog.configure", "audit", (True, False), convert=yes_no),
    "syslog.test": Row("syslogTested", syslog_test),
    "system.listMethods": reads(),
    "system.methodHelp": reads(lambda world, how: {"methodName": "user.add"}),
    "system.methodSignature": reads(lambda world, how: {"methodName": "user.add"}),
    # What stands in it leaves its records.
    "system.batch": Row(
        "keyGenerated",
        lambda world, how: {"calls": [
            {"methodName": "device.query"},
            {"methodName": "certificate.generateKey", "params": {"keyType": "ecP384"}}]},
        lambda world, members, reply: {"keyType": "ecP384",
                                       "keyId": reply["results"][1]["result"]["keyId"]}),
    "token.query": reads(),
    "trustStore.query": reads(lambda world, how: {"trustStore": "https"}),
    "trustStore.progress": reads(lambda world, how: {"trustStore": "https"}),
    "trustStore.examine": reads(lambda world, how: {
        "trustStore": "https", "certificates": world.authority.pem}),
    "trustStore.upload": Row("trustStoreUploaded", trust_upload),
    "trustStore.delete": Row("trustStoreDeleted", trust_delete),
    "trustStore.reset": Row("trustStoreReset", trust_reset),
    "user.enumerate": reads(),
    "user.add": Row("userAdded", add_user),
    "user.modify": Row("userModified", modify_user),
    "user.delete": Row("userDeleted", delete_user),
    "user.changePassword": Row("passwordChanged", change_password, how=(WEB, API),
                               user=new_user),
    "user.passwordRules": reads(),
    "verification.query": reads(),
    "verification.configure": setting("verification.configure", "sip",
                                      ("outgoing", "outgoingAndIncoming")),
    "verification.preview": reads(lambda world, how: {"clientCertificate": "notRequired"}),
    "verification.test": reads(lambda world, how: {
        "certificate": pem(world.authority.certificate)}),
}

# Leave records, but are done even where none can be written.
NOT_HELD_UP = {"session.login", "session.logout", "system.batch"}


# --- the tests

def fits(wanted, got):
    return wanted.fullmatch(got) if isinstance(wanted, re.Pattern) else wanted == got


def check_fields(record, wanted):
    got = record["fields"]
    assert set(got) == set(wanted), (got, wanted)
    for name, value in wanted.items():
        assert fits(value, got[name]), (name, got[name], value)
    # In words: each field by its name.
    for name, value in got.items():
        assert f"{name}: {value}" in record["detail"] or len(record["detail"]) > 900


def methods(service):
    return service.local().call("system.listMethods")["methods"]


def test_every_method_has_a_row(service):
    assert set(methods(service)) == set(ROWS)


def test_methods_that_change_something_leave_records(service):
    """What is marked as changing something leaves a record, and the other way
    round."""
    for method in methods(service):
        changes = service.local().call("system.methodSignature", methodName=method)["changes"]
        leaves = ROWS[method].expect is not None and method not in NOT_HELD_UP
        assert changes == leaves, method


CASES = [(method, how) for method, row in ROWS.items() for how in row.how]


@pytest.mark.parametrize("method, how", CASES, ids=[f"{m}-{h}" for m, h in CASES])
def test_exactly_its_record(world, method, how):
    row = ROWS[method]
    user = row.user(world)
    if how == WEB:
        world.session(user)
    prepared = row.prepare(world, how)
    members, fields = prepared if isinstance(prepared, tuple) else (prepared, row.fields)
    before = is_back.index = world.last_index()

    if method == "session.login":
        reply, cookie = world.web(method, **members)
        world.secrets[f"token {len(world.secrets)}"] = reply["csrfToken"]
        world.secrets[f"cookie {len(world.secrets)}"] = cookie.partition("=")[2]
    else:
        reply = world.call(how, user, method, **members)
    if row.after:
        row.after(world)
        records = [r for r in world.records(before) if r["userName"]]
    else:
        records = world.records(before)

    if row.expect is None:
        assert records == [], records
        return
    record, = records
    assert (record["event"], record["module"], record["peer"]) == \
        (row.expect, MODULE[how], PEER[how])
    assert record["via"] == ("password" if method == "session.login" else VIA[how])
    assert record["userName"] == ("local" if how == LOCAL else user)
    assert record["index"] == before + 1 and record["format"] == 2
    check_fields(record, fields(world, members, reply) if callable(fields) else fields)


# --- what is refused

def refused(world, call, *args, **members):
    """The records that a refused call leaves."""
    before = world.last_index()
    with pytest.raises(xmlrpc.client.Fault):
        call(*args, **members)
    return world.records(before)


def check_record(record, event, how, user, via, fields):
    assert (record["event"], record["module"], record["userName"], record["via"]) == \
        (event, MODULE[how], user, via), record
    assert record["peer"] == PEER[how]
    check_fields(record, fields)


def test_wrong_passwords(world):
    name = world.user()
    for user, reason in (name, "wrong password"), (world.fresh("nobody"), "no such account"):
        record, = refused(world, world.web, "device.query", authenticationUser=user,
                          authenticationPassword="Unmistakable-Guess")
        check_record(record, "loginFailed", API, user, "password", {"reason": reason})
        record, = refused(world, world.web, "session.login", userName=user,
                          password="Unmistakable-Guess")
        check_record(record, "loginFailed", WEB, user, "password", {"reason": reason})
    world.secrets["guess"] = "Unmistakable-Guess"
    # The log-in after failures tells how many there were.
    before = world.last_index()
    world.call(API, name, "device.query")
    record, = world.records(before)
    check_record(record, "login", API, name, "password", {"failures": "2"})


def test_disabled_account(world):
    name = world.user()
    world.local("user.modify", userName=name, disabled=True)
    record, = refused(world, world.call, API, name, "device.query")
    check_record(record, "loginFailed", API, name, "password", {"reason": re.compile(".*disabled.*")})


def test_foreign_page(world):
    """The cookie without the token."""
    name = world.user()
    cookie = {"Cookie": world.session(name)["Cookie"]}
    record, = refused(world, world.web, "device.query", cookie)
    check_record(record, "accessDenied", WEB, name, "session",
                 {"method": "device.query", "reason": "no valid X-CSRF-Token"})


def test_passwords_where_a_certificate_is_needed(world):
    world.local("verification.configure", clientCertificate="required", force=True)
    try:
        api = world.service.api(tls=False)
        record, = refused(world, api.call, "device.query")
        check_record(record, "loginFailed", API, "admin", "password", {"reason": ANY})
        record, = refused(world, world.service.anonymous(tls=False).call, "session.login",
                          userName="admin", password="Unmistakable-Guess")
        check_record(record, "loginFailed", WEB, "admin", "password", {"reason": ANY})
    finally:
        world.local("verification.configure", clientCertificate="notRequired", force=True)


def test_insufficient_privileges(world):
    name = world.user()
    world.session(name)
    for how in (WEB, API):
        record, = refused(world, world.call, how, name, "user.delete", userName="admin")
        check_record(record, "accessDenied", how, name, VIA[how],
                     {"method": "user.delete", "reason": "insufficient privileges"})


def test_password_must_be_changed(world):
    name = world.user(forceChange=True)
    world.session(name)
    record, = refused(world, world.call, WEB, name, "device.query")
    check_record(record, "accessDenied", WEB, name, "session",
                 {"method": "device.query", "reason": re.compile(".*must be changed.*")})


def test_own_password_is_wrong(world):
    name = world.user()
    record, = refused(world, world.call, API, name, "user.changePassword",
                      currentPassword="Unmistakable-Guess", newPassword="Unmistakable-Other")
    check_record(record, "loginFailed", WEB, name, "password", {"reason": "wrong password"})
    world.secrets["other"] = "Unmistakable-Other"


CHANGES = {  # refused or failing: method, members, event, fields beside the reason
    "user.add": ({"userName": "admin", "password": "Unmistakable-Twice"}, "changeRefused", {}),
    "user.modify": ({"userName": "nobody at all", "name": "x"}, "changeRefused", {}),
    "user.delete": ({"userName": "admin"}, "changeRefused", {}),
    "security.modify": ({"minimumVersion": "9"}, "changeRefused", {}),
    "services.modify": ({"services": [{"name": "nonsense", "port": 1}]}, "changeRefused", {}),
    "verification.configure": ({"sip": "some=times; to: no"}, "changeRefused", {}),
    "sip.modify": ({"outboundConfiguration": "useTrunk", "outboundAddress": "",
                    "password": "Unmistakable-Trunk"}, "changeRefused", {}),
    "change.confirm": ({"changeId": "0123456789abcdef"}, "changeRefused", {}),
    "change.revert": ({"changeId": "0123456789abcdef"}, "changeRefused", {}),
    "security.acknowledgeWarnings": ({"ids": ["nonsense"]}, "changeRefused", {}),
    "participant.add": ({"conferenceName": "Room", "participantName": "x"}, "changeRefused", {}),
    "participant.connect": ({"conferenceName": "Room", "participantName": "nobody"},
                            "changeRefused", {}),
    "participant.disconnect": ({"conferenceName": "Room", "participantName": "nobody"},
                               "changeRefused", {}),
    "participant.remove": ({"conferenceName": "Room", "participantName": "nobody"},
                           "changeRefused", {}),
    "calls.disconnect": ({"callId": "987654321"}, "changeRefused", {}),
    "certificate.upload": ({"certificate": "Unmistakable-Rubbish", "privateKey": "x"},
                           "certificateChangeFailed", {"action": "upload"}),
    "certificate.deleteKey": ({"keyId": "00112233"}, "certificateChangeFailed",
                              {"action": "deletion of a key"}),
    "certificate.createRequest": ({"keyId": "00112233", "subject": {"cn": "x"}},
                                  "certificateChangeFailed", {"action": "signing of a request"}),
    "trustStore.upload": ({"trustStore": "sip", "certificates": "rubbish"},
                          "trustStoreChangeFailed", {"trustStore": "sip", "action": "upload"}),
}


@pytest.mark.parametrize("method", CHANGES)
def test_refused_changes(world, method):
    members, event, fields = CHANGES[method]
    record, = refused(world, world.call, API, "admin", method, **members)
    if event == "changeRefused":
        fields = {"method": method}
    check_record(record, event, API, "admin", "password", {**fields, "reason": ANY})
    assert record["severity"] == "Warning"


def test_several_settings_and_a_trial(world):
    """One record for each setting, and one that it is a trial."""
    for change in world.local("change.query")["changes"]:
        world.local("change.revert", changeId=change["changeId"])
    world.local("security.modify", webSessionTimeoutMinutes=30, minimumVersion="1.2")
    before = world.last_index()
    reply = world.call(API, "admin", "security.modify", webSessionTimeoutMinutes=31,
                       minimumVersion="1.3", redirectHttp=False, confirmWithinSeconds=600)
    changed = {"security.webSessionTimeoutMinutes": ("30", "31"),
               "tls.minimumVersion": ("1.2", "1.3")}
    now = world.local("security.query")["redirectHttp"]
    assert now is False
    *settings, started = [r for r in world.records(before)
                          if r["fields"].get("setting") != "security.redirectHttp"]
    assert {r["fields"]["setting"]: (r["fields"]["from"], r["fields"]["to"])
            for r in settings} == changed
    check_record(started, "trialStarted", API, "admin", "password",
                 {"changeId": reply["changeId"], "seconds": "600"})
    world.local("change.revert", changeId=reply["changeId"])


def test_a_password_alone(world):
    name = world.user()
    world.secrets[name + " 2"] = "Unmistakable-By-Admin"
    before = world.last_index()
    world.call(API, "admin", "user.modify", userName=name, password="Unmistakable-By-Admin")
    record, = world.records(before)
    check_record(record, "passwordChanged", API, "admin", "password", {"user": name})


def test_the_password_of_sip(world):
    """That it was set, changed or removed, and nothing more."""
    for password, action in ("Unmistakable-Sip-1", "set"), ("Unmistakable-Sip-2", "changed"), \
            ("", "removed"):
        if password:
            world.secrets[password] = password
        before = world.last_index()
        world.call(API, "admin", "sip.modify", password=password)
        record, = world.records(before)
        check_record(record, "sipPasswordChanged", API, "admin", "password",
                     {"action": action})
    before = world.last_index()
    world.call(API, "admin", "sip.modify", password="")
    assert world.records(before) == []


def test_client_certificates(world, tmp_path):
    """Refused ones: with their names, by the kind of refusal."""
    authority, stranger = world.authority, Authority("Stranger")
    now = datetime.datetime.utcnow()
    day = datetime.timedelta(days=1)
    rows = [("certificateUntrusted", "unknownAuthority", stranger, {}),
            ("certificateExpired", "expired", authority,
             {"not_before": now - 2 * day, "not_after": now - day})]
    world.local("trustStore.upload", trustStore="https", certificates=authority.pem)
    world.local("verification.configure", clientCertificate="verify", force=True)
    try:
        for event, cause, issuer, dates in rows:
            key = new_key()
            certificate = issuer.issue(key, "eve", names=(), **dates)
            files = tmp_path / f"{event}.pem", tmp_path / f"{event}.key"
            files[0].write_text(pem(certificate))
            files[1].write_text(key_pem(key))
            before = world.last_index()
            connection = http.client.HTTPSConnection(
                world.service.host, world.service.https, timeout=30,
                context=world.service.context(client=files))
            with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
                connection.request("GET", "/status")
                connection.getresponse()
            connection.close()
            record = wait_for(lambda: [r for r in world.records(before) if r["event"] == event],
                              what=event)[0]
            names = pair(certificate)
            del names["fingerprint"]
            check_record(record, event, WEB, "", "certificate",
                         {**names, "cause": cause, "reason": ANY})
        before = world.last_index()
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            world.web("session.loginWay")
        record = wait_for(lambda: world.records(before), what="the record")[0]
        check_record(record, "certificateMissing", WEB, "", "certificate",
                     {"cause": "nothingSent", "reason": ANY})
    finally:
        world.local("verification.configure", clientCertificate="notRequired", force=True)


# --- no secrets, after all that

def test_no_secret_in_any_record(world):
    text = json.dumps(world.records(0), default=str)
    assert len(world.secrets) > 20 and "userModified" in text
    for name, secret in world.secrets.items():
        assert len(secret) >= 4 or name == "PIN", name
        assert secret not in text, f"the {name} stands in a record"
    (database,) = world.service.state.glob("**/sealbridge.db")
    assert database.exists()


def test_events_are_documented():
    """Each event of events.def has a name of its own."""
    text = (SOURCE / "src" / "audit" / "events.def").read_text()
    names = re.findall(r'EVENT\(\w+, "(\w+)"', text)
    assert len(names) == len(set(names)) > 30
