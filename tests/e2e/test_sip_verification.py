# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP over TLS: which certificates of the other side will do, for each of the
three verification settings, in both directions, as real TLS peers see it; what
they are told, and what is written down."""

import datetime
import itertools

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import Service, wait_for
from sip_tls_peers import Call, Callee, Caller

DAY = datetime.timedelta(days=1)
SETTINGS = ("none", "outgoing", "outgoingAndIncoming")
VERSIONS = ("TLSv1.2", "TLSv1.3")
SIP_DOMAIN = ObjectIdentifier("1.3.6.1.5.5.7.3.20")  # RFC 5924
LATE = {"not_before": -2 * DAY, "not_after": -DAY}

# Peers by what their certificate says: common name, subjectAltNames, more of it.
# All but the untrusted one are by the authority in the SIP trust store.
PEERS = {
    "none": None,
    "good": ("peer", ["URI:sip:127.0.0.1", "DNS:localhost", "IP:127.0.0.1"], {}),
    "untrusted": ("stranger", ["IP:127.0.0.1"], {}),
    "expired": ("late", ["IP:127.0.0.1"], LATE),
    "wrong host": ("other", ["URI:sip:other.example", "DNS:other.example",
                             "IP:192.0.2.1"], {}),
    "URI": ("uri", ["URI:sip:127.0.0.1"], {}),
    "URI of a user": ("bob", ["URI:sip:bob@127.0.0.1"], {}),
    "DNS": ("dns", ["DNS:127.0.0.1"], {}),
    "IP": ("ip", ["IP:127.0.0.1"], {}),
    "common name": ("127.0.0.1", [], {}),
    "common name, other SAN": ("127.0.0.1", ["DNS:other.example"], {}),
    "wildcard": ("wildcard", ["DNS:*.0.0.1", "DNS:*"], {}),
    "for servers": ("server", ["IP:127.0.0.1"], {"usage": ExtendedKeyUsageOID.SERVER_AUTH}),
    "for clients": ("client", ["IP:127.0.0.1"], {"usage": ExtendedKeyUsageOID.CLIENT_AUTH}),
    "for SIP": ("sip", ["IP:127.0.0.1"], {"usage": SIP_DOMAIN}),
    "for mail": ("mail", ["IP:127.0.0.1"],
                 {"usage": ExtendedKeyUsageOID.EMAIL_PROTECTION}),
}
# What is wrong with the chain counts in both directions.
CHAIN = {"none": "nothingSent", "untrusted": "unknownAuthority", "expired": "expired",
         "for mail": "wrongUse"}
# By RFC 8446 6.2, by OpenSSL's names.
ALERTS = {"unknownAuthority": "UNKNOWN_CA", "expired": "CERTIFICATE_EXPIRED",
          "wrongUse": "UNSUPPORTED_CERTIFICATE", "wrongHost": "BAD_CERTIFICATE",
          ("nothingSent", "TLSv1.2"): "HANDSHAKE_FAILURE",
          ("nothingSent", "TLSv1.3"): "CERTIFICATE_REQUIRED"}


def alert_for(cause, version):
    return ALERTS.get(cause) or ALERTS[cause, version]


class World:
    """Authorities and the files of peers."""

    def __init__(self, folder):
        self.folder = folder
        self.trusted, self.stranger = Authority("SIP root"), Authority("Stranger root")
        self.key = new_key()
        self.issued = {}
        (folder / "key").write_text(key_pem(self.key))

    def files(self, name):
        """Certificate and key of that peer; None: it has none."""
        if PEERS[name] is None:
            return None
        path = self.folder / f"{name}.pem"
        if not path.exists():
            common_name, names, more = PEERS[name]
            now = datetime.datetime.utcnow()
            more = {k: now + v if isinstance(v, datetime.timedelta) else v
                    for k, v in more.items()}
            issuer = self.stranger if name == "untrusted" else self.trusted
            self.issued[name] = issuer.issue(self.key, common_name, names, **more)
            path.write_text(pem(self.issued[name]))
        return path, self.folder / "key"

    def expected(self, name):
        """subject, issuer and serial number as records have them."""
        if PEERS[name] is None:
            return {}
        issuer = "Stranger root" if name == "untrusted" else "SIP root"
        return {"subject": f"CN={PEERS[name][0]},O=Sealbridge test",
                "issuer": f"CN={issuer},O=Sealbridge test",
                "serialNumber": format(self.issued[name].serial_number, "x")}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("peers"))


@pytest.fixture(scope="module", ids=" ".join,
                params=[(s, v) for s in SETTINGS for v in VERSIONS])
def device(request, world):
    """A service with that setting, for peers of that version of TLS: refusals by one
    are few enough to be written down one by one."""
    with Service() as service:
        service.choice, service.version = request.param
        configure(service, world.trusted, service.choice)
        yield service


def configure(service, authority, choice):
    local = service.local()
    if authority:
        local.call("trustStore.upload", trustStore="sip", certificates=authority.pem)
    local.call("verification.configure", sip=choice)


def last_index(service):
    events = service.local().call("auditlog.enumerate", newestFirst=True,
                                  numEvents=1)["events"]
    return events[0]["index"] if events else -1


def refusals(service, after):
    events = service.local().call("auditlog.enumerate", index=after + 1,
                                  numEvents=50)["events"]
    return [e for e in events if e["event"] == "sipPeerRefused" and e["index"] > after]


def check_record(service, world, before, peer, cause, direction):
    record, = wait_for(lambda: refusals(service, before), what="the record")
    fields = record["fields"]
    assert (record["module"], record["peer"]) == ("SIP", "127.0.0.1"), record
    assert (fields["cause"], fields["direction"]) == (cause, direction), fields
    assert fields["reason"], fields
    for name, value in world.expected(peer).items():
        assert fields[name].lower().lstrip("0") == value.lower(), fields
    return fields


# --- the table: those that call us

@pytest.mark.parametrize("peer", PEERS)
def test_incoming(device, world, peer):
    before = last_index(device)
    cause = CHAIN.get(peer) if device.choice == "outgoingAndIncoming" else None
    with Caller(device.sips, world.files(peer), device.version) as caller:
        if cause:
            assert caller.alert == alert_for(cause, device.version)
        else:
            assert caller.alert is None
            assert caller.tls.version() == device.version
            assert caller.asks()
    if cause:
        fields = check_record(device, world, before, peer, cause, "incoming")
        assert "host" not in fields
        wait_for(lambda: "certificate of the peer refused" in device.log() or peer == "none",
                 what="the line in the log")
    else:
        assert refusals(device, before) == []


# --- the table: those that we call

# What names the host that is dialled, "127.0.0.1" here.
NAMED = {"good", "untrusted", "expired", "URI", "DNS", "IP", "common name", "for servers",
         "for clients", "for SIP", "for mail"}
REASONS = {None: "busy", "unknownAuthority": "peerCertificateUntrusted",
           "expired": "peerCertificateExpired", "wrongHost": "peerCertificateWrongHost",
           "wrongUse": "peerCertificateRefused"}
numbers = itertools.count(1)


def dial(service, address, **more):
    """A call to that address; how it ended."""
    local = service.local()
    who = {"conferenceName": "Test", "participantName": f"peer {next(numbers)}",
           "participantProtocol": "sip", "participantType": "ad_hoc"}
    local.call("participant.add", **who, address=address, useSIPRegistrar=False,
               transportProtocol="tls", **more)
    return wait_for(lambda: (lambda s: s["callState"] == "disconnected" and s)(
        local.call("participant.status", **who)), what="the end of the call")


def cause_of(device, peer):
    """Why that one is refused, None: it is not. A server always sends one."""
    if device.choice == "none":
        return None
    return CHAIN.get(peer) or (None if peer in NAMED else "wrongHost")


@pytest.mark.parametrize("peer", sorted(set(PEERS) - {"none"}))
def test_outgoing(device, world, peer):
    before, cause = last_index(device), cause_of(device, peer)
    with Callee(world.files(peer), device.version) as callee:
        end = dial(device, f"sip:127.0.0.1:{callee.port}")
        meeting, = callee.meetings
        meeting.ended.wait(20) if cause else None
    assert end["disconnectReason"] == REASONS[cause], end
    if cause:
        assert meeting.alert == ALERTS[cause]
        assert not meeting.requests
        fields = check_record(device, world, before, peer, cause, "outgoing")
        assert fields["host"] == "127.0.0.1"
        assert fields["reason"][:60] in end["disconnectText"], end
    else:
        assert "INVITE" in meeting.requests and meeting.version == device.version
        assert refusals(device, before) == []


def test_outgoing_without_a_certificate(device):
    """A server that has none: there is no cipher suite in common, whatever the
    setting."""
    with Callee(None, device.version) as callee:
        end = dial(device, f"sip:127.0.0.1:{callee.port}")
    assert end["disconnectReason"] == "tlsFailed", end
    assert not any(m.accepted for m in callee.meetings)


# --- what is known of the other side

def record_of_call(service, before):
    """The CDR of the end of a call since then."""
    def newest():
        events = service.local().call("cdrlog.enumerate", newestFirst=True,
                                      numEvents=1)["events"]
        return [e for e in events if e["index"] > before and e["type"] == "participantLeft"]

    return wait_for(newest, what="the CDR")[0]


def last_record(service):
    events = service.local().call("cdrlog.enumerate", newestFirst=True,
                                  numEvents=1)["events"]
    return events[0]["index"] if events else -1


def check_link(device, record, verified):
    """Of one whom nobody judged no identity is shown."""
    assert record["verified"] is verified
    assert record["peerIdentity"] == ("CN=peer,O=Sealbridge test" if verified else "")
    assert (record["transport"], record["tlsVersion"]) == ("TLS", device.version)


def test_who_has_called(device, world):
    before = last_record(device)
    with Caller(device.sips, world.files("good"), device.version) as caller:
        assert Call(caller).ends(caller)
    check_link(device, record_of_call(device, before),
               device.choice == "outgoingAndIncoming")


def test_who_was_called(device, world):
    before = last_record(device)
    with Callee(world.files("good"), device.version) as callee:
        dial(device, f"sip:127.0.0.1:{callee.port}")
    check_link(device, record_of_call(device, before), device.choice != "none")
