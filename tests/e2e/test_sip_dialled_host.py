# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls over TLS: the certificate is for the host that was dialled, whatever the
DNS made of it; what we show of ourselves; and what changes between two calls."""

import itertools

import pytest

from certificates import Authority, key_pem, new_key, pem
from dns_server import DnsServer
from sealbridge_service import Service, wait_for
from sip_tls_peers import Callee

numbers = itertools.count(1)


class Files:
    def __init__(self, folder):
        self.folder = folder
        self.authority, self.other = Authority("SIP root"), Authority("Other root")
        self.ca = folder / "ca.pem"
        self.ca.write_text(self.authority.pem)

    def __call__(self, *names, issuer=None, common_name="peer"):
        path = self.folder / f"{next(numbers)}.pem", self.folder / f"{next(numbers)}.key"
        key = new_key()
        path[0].write_text(pem((issuer or self.authority).issue(key, common_name, names)))
        path[1].write_text(key_pem(key))
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("peers"))


@pytest.fixture(scope="module")
def dns():
    with DnsServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(dns):
    service = Service(configuration=f"[sip]\ndns-servers = {dns.address}\n")
    with service:
        yield service


@pytest.fixture
def device(running, files):
    local = running.local()
    local.call("trustStore.upload", trustStore="sip", certificates=files.authority.pem)
    local.call("verification.configure", sip="outgoing")
    local.call("sip.modify", useLocalCertificate=True, closeConnections=False)
    return running


def dial(service, address):
    local = service.local()
    who = {"conferenceName": "Test", "participantName": f"peer {next(numbers)}",
           "participantProtocol": "sip", "participantType": "ad_hoc"}
    local.call("participant.add", **who, address=address, useSIPRegistrar=False,
               transportProtocol="tls")
    return wait_for(lambda: (lambda s: s["callState"] == "disconnected" and s)(
        local.call("participant.status", **who)), what="the end of the call")


# --- names

ROWS = [  # subjectAltNames, common name, whether they name peer.example
    (("DNS:peer.example",), "x", True),
    (("DNS:PEER.Example",), "x", True),
    (("URI:sip:peer.example",), "x", True),
    (("URI:sips:peer.example",), "x", True),
    (("URI:sip:peer.example:5061;transport=tls",), "x", True),
    ((), "peer.example", True),
    (("DNS:a.example", "DNS:peer.example"), "x", True),
    (("DNS:*.example",), "x", False),
    (("DNS:*.example",), "peer.example", False),
    (("DNS:other.example",), "peer.example", False),
    (("URI:sip:bob@peer.example",), "x", False),
    (("URI:https://peer.example",), "x", False),
    (("IP:127.0.0.1", "DNS:127.0.0.1"), "x", False),
    (("DNS:sub.peer.example",), "x", False),
    ((), "*.example", False),
]


@pytest.mark.parametrize("names, common_name, right", ROWS)
def test_dialled_by_name(device, dns, files, names, common_name, right):
    dns.records = {("peer.example", "A"): ["127.0.0.1"]}
    with Callee(files(*names, common_name=common_name)) as callee:
        end = dial(device, f"sip:bob@peer.example:{callee.port}")
        assert end["disconnectReason"] == ("busy" if right else "peerCertificateWrongHost")
        if not right:
            callee.meetings[0].ended.wait(20)
            assert callee.meetings[0].alert == "BAD_CERTIFICATE"
            assert "peer.example" in end["disconnectText"]


@pytest.mark.parametrize("names, right", [
    (("DNS:{}",), True),
    (("DNS:host.{}",), False),
    (("IP:127.0.0.1",), False),
])
def test_what_the_dns_made_of_it_does_not_count(device, dns, files, names, right):
    """RFC 3263 leads from the domain to a host of any name; the certificate is for
    the domain (RFC 5922 4)."""
    # A name of its own: answers are kept for a while.
    domain = f"domain{next(numbers)}.example"
    names = [name.format(domain) for name in names]
    with Callee(files(*names)) as callee:
        dns.records = {
            (f"_sips._tcp.{domain}", "SRV"): [(1, 1, callee.port, f"host.{domain}")],
            (f"host.{domain}", "A"): ["127.0.0.1"],
        }
        end = dial(device, f"sip:bob@{domain}")
    assert end["disconnectReason"] == ("busy" if right else "peerCertificateWrongHost"), end


@pytest.mark.parametrize("names, right", [
    (("IP:::1",), True),
    (("DNS:::1",), True),
    (("URI:sip:[::1]",), True),
    (("URI:sips:[0:0:0:0:0:0:0:1]:5061",), True),
    (("IP:127.0.0.1",), False),
    (("DNS:localhost",), False),
    (("URI:sip:::1",), False),
])
def test_dialled_by_an_address_of_version_6(device, files, names, right):
    with Callee(files(*names), host="::1") as callee:
        end = dial(device, f"sip:bob@[::1]:{callee.port}")
    assert end["disconnectReason"] == ("busy" if right else "peerCertificateWrongHost"), end


def test_one_connection_serves_one_name(device, dns, files):
    """Another name at the same address has not been proved by it."""
    dns.records = {("one.example", "A"): ["127.0.0.1"], ("two.example", "A"): ["127.0.0.1"]}
    with Callee(files("DNS:one.example")) as callee:
        for _ in range(2):
            assert dial(device, f"sip:one.example:{callee.port}")["disconnectReason"] == "busy"
        assert len(callee.meetings) == 1
        end = dial(device, f"sip:two.example:{callee.port}")
        assert end["disconnectReason"] == "peerCertificateWrongHost"


# --- ourselves

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_our_certificate(device, files, version):
    """Shown to who asks, where that is set."""
    with Callee(files("IP:127.0.0.1"), version, asks=files.ca, answer="486 Busy Here") as callee:
        end = dial(device, f"sip:127.0.0.1:{callee.port}")
        # Our own certificate is not by their authority.
        assert end["disconnectReason"] == "ownCertificateRefused", dict(end)
        assert "unknown_ca" in end["disconnectText"]
        wait_for(lambda: "does not accept the certificate of this device" in device.log())
        device.local().call("sip.modify", useLocalCertificate=False)
        end = dial(device, f"sip:127.0.0.1:{callee.port}")
        assert end["disconnectReason"] in ("ownCertificateRefused", "tlsFailed"), end
        assert not any(m.accepted for m in callee.meetings)


def test_our_certificate_is_accepted(device, files, tmp_path):
    own = device.local().call("certificate.query")["active"]["pem"]
    (tmp_path / "device.pem").write_text(own)
    with Callee(files("IP:127.0.0.1"), asks=tmp_path / "device.pem", optional=True) as callee:
        assert dial(device, f"sip:127.0.0.1:{callee.port}")["disconnectReason"] == "busy"
        assert callee.meetings[0].certificate
        device.local().call("sip.modify", useLocalCertificate=False)
        assert dial(device, f"sip:127.0.0.1:{callee.port}")["disconnectReason"] == "busy"
        assert len(callee.meetings) == 2 and not callee.meetings[1].certificate


# --- changes between calls

def test_changes_count_for_the_next_call(device, files):
    """A connection that stands serves no call that it would not be opened for."""
    local = device.local()
    with Callee(files("IP:127.0.0.1")) as callee:
        address = f"sip:127.0.0.1:{callee.port}"
        assert dial(device, address)["disconnectReason"] == "busy"
        local.call("trustStore.upload", trustStore="sip", certificates=files.other.pem)
        assert dial(device, address)["disconnectReason"] == "peerCertificateUntrusted"
        local.call("verification.configure", sip="none")
        assert dial(device, address)["disconnectReason"] == "busy"
        local.call("verification.configure", sip="outgoing")
        local.call("trustStore.delete", trustStore="sip")
        end = dial(device, address)
        assert end["disconnectReason"] == "peerCertificateUntrusted"
        assert "SIP trust store is empty" in end["disconnectText"]
        assert not callee.meetings[0].ended.is_set()  # it stands


def test_standing_connections_are_closed(device, files):
    local = device.local()
    local.call("sip.modify", closeConnections=True)
    with Callee(files("IP:127.0.0.1")) as callee:
        assert dial(device, f"sip:127.0.0.1:{callee.port}")["disconnectReason"] == "busy"
        assert not callee.meetings[0].ended.is_set()
        local.call("verification.configure", sip="none")
        assert callee.meetings[0].ended.wait(20)
        assert callee.meetings[0].error is None  # in good form
