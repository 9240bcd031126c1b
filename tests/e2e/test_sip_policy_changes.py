# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of what SIP peers have to show, while connections over TLS stand: the
change counts for new ones, those that stand go on, or are closed in good form
where that is set; no resumption passes a check by."""

import socket
import ssl

import pytest
from cryptography import x509

from certificates import Authority, fingerprint, key_pem, new_key, pem
from sealbridge_service import Service, wait_for
from sip_tls_peers import OPTIONS, Call, Callee, Caller, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")


class Peer:
    """A certificate and its authority."""

    def __init__(self, folder, name):
        self.authority = Authority(f"{name} root")
        key = new_key()
        self.files = folder / f"{name}.pem", folder / f"{name}.key"
        self.files[0].write_text(pem(self.authority.issue(key, name)))
        self.files[1].write_text(key_pem(key))


@pytest.fixture(scope="module")
def running():
    with Service() as service:
        yield service


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    return Peer(folder, "first"), Peer(folder, "second")


@pytest.fixture
def device(running, peers):
    """Verifies in both directions; the first peer is trusted."""
    local = running.local()
    local.call("trustStore.upload", trustStore="sip",
               certificates=peers[0].authority.pem)
    local.call("verification.configure", sip="outgoingAndIncoming")
    local.call("sip.modify", closeConnections=False)
    return running


def verify(service, choice):
    service.local().call("verification.configure", sip=choice)


def trust(service, *authorities):
    local = service.local()
    if authorities:
        local.call("trustStore.upload", trustStore="sip",
                   certificates="".join(a.pem for a in authorities))
    else:
        local.call("trustStore.delete", trustStore="sip")


def swap_identity(service, names=("IP:127.0.0.1", "DNS:localhost"), issuer=None):
    """Another certificate in service; its fingerprint."""
    local, key = service.local(), new_key()
    certificate = (issuer or Authority("Device root")).issue(key, "127.0.0.1", names)
    local.call("certificate.upload", certificate=pem(certificate), privateKey=key_pem(key))
    local.call("certificate.activate")
    return fingerprint(certificate)


# --- what changes under a connection that stands

CHANGES = {
    "verification": lambda d, p: verify(d, "none"),
    "trust store": lambda d, p: trust(d, p[1].authority),
    "identity": lambda d, p: swap_identity(d),
    "local certificate shown": lambda d, p: d.local().call("sip.modify",
                                                           useLocalCertificate=False),
}


@pytest.fixture(autouse=True)
def as_before(running):
    yield
    running.local().call("sip.modify", useLocalCertificate=True, closeConnections=False)


@pytest.mark.parametrize("change", CHANGES)
def test_standing_flows_go_on(device, peers, change):
    with Caller(device.sips, peers[0].files) as standing:
        assert standing.alert is None
        CHANGES[change](device, peers)
        with Caller(device.sips, peers[0].files) as fresh:
            assert fresh.alert == ("UNKNOWN_CA" if change == "trust store" else None)
        assert standing.asks()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("change", CHANGES)
def test_standing_flows_are_closed(device, peers, change, version):
    """By close_notify, each of them."""
    device.local().call("sip.modify", closeConnections=True)
    with Caller(device.sips, peers[0].files, version) as one, \
            Caller(device.sips, peers[0].files, version) as two:
        assert one.alert is two.alert is None
        CHANGES[change](device, peers)
        assert one.ended() and two.ended()


@pytest.mark.parametrize("closing", (False, True))
def test_calls_go_on(device, peers, closing):
    """Over the connection that stands, or over another one."""
    device.local().call("sip.modify", closeConnections=closing)
    with Caller(device.sips, peers[0].files) as standing:
        call = Call(standing)
        trust(device, peers[1].authority)
        if not closing:
            assert call.ends(standing)
            return
        assert standing.ended()
    with Caller(device.sips, peers[1].files) as other:
        assert call.ends(other)
        assert not call.ends(other)  # 481: it was there until then


def test_nothing_else_closes_them(device, peers):
    local = device.local()
    local.call("sip.modify", closeConnections=True)
    with Caller(device.sips, peers[0].files) as standing:
        local.call("verification.configure", serverCertificate="none")
        local.call("sip.modify", mediaTimeoutSeconds=61)
        local.call("sip.modify", mediaTimeoutSeconds=60)
        local.call("trustStore.upload", trustStore="https",
                   certificates=peers[1].authority.pem)
        assert standing.asks()


# --- each new one is judged anew

def test_the_store_is_replaced(device, peers):
    first, second = peers
    with Caller(device.sips, first.files) as standing:
        assert standing.alert is None
        trust(device, second.authority)
        for _ in range(2):
            with Caller(device.sips, first.files) as caller:
                assert caller.alert == "UNKNOWN_CA"
        with Caller(device.sips, second.files) as caller:
            assert caller.alert is None
        trust(device, first.authority, second.authority)
        for peer in peers:
            with Caller(device.sips, peer.files) as caller:
                assert caller.alert is None
        assert standing.asks()


def test_nobody_is_trusted(device, peers):
    """An empty store lets nobody through, and that is said where people look."""
    local = device.local()
    trust(device)
    with Caller(device.sips, peers[0].files) as caller:
        assert caller.alert == "UNKNOWN_CA"
    event = wait_for(lambda: [e for e in local.call(
        "auditlog.enumerate", filter={"event": "sipPeerRefused"})["events"]
        if "SIP trust store is empty" in e["fields"].get("reason", "")], what="the record")[-1]
    assert event["fields"]["cause"] == "unknownAuthority"
    wait_for(lambda: "SIP trust store is empty: no call over TLS" in device.log(),
             what="the line in the log")

    def warned():
        return "sipTrustStoreEmpty" in [
            w["id"] for w in local.call("security.warnings")["warnings"]]

    assert warned()
    trust(device, peers[0].authority)
    assert not warned()
    trust(device)
    assert warned()
    verify(device, "none")
    assert not warned()
    with Caller(device.sips, peers[0].files) as caller:
        assert caller.alert is None


# --- resumption

def leave(service, version, files=None):
    """A connection of a client that keeps tickets; its context and its session."""
    with Caller(service.sips, files, version) as caller:
        assert caller.alert is None
        session = caller.tls.session
        return caller.context, session


@pytest.mark.parametrize("version", VERSIONS)
def test_resumption_without_verification(device, version):
    """So that the tests behind can fail: there are tickets, and they are good."""
    verify(device, "none")
    context, session = leave(device, version)
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert is None and caller.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_no_ticket_passes_verification(device, peers, version):
    verify(device, "none")
    context, session = leave(device, version)
    verify(device, "outgoingAndIncoming")
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert == ("CERTIFICATE_REQUIRED" if version == "TLSv1.3"
                                else "HANDSHAKE_FAILURE")
    # Nor does it after the way back: the keys are others.
    verify(device, "none")
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert is None and not caller.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_no_tickets_while_verifying(device, peers, version):
    context, session = leave(device, version, peers[0].files)
    assert not session or not session.has_ticket
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert is None and not caller.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_another_identity_ends_tickets(device, version):
    verify(device, "none")
    context, session = leave(device, version)
    swap_identity(device)
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert is None and not caller.resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_of_https_are_nothing_here(device, version):
    verify(device, "none")
    context = client_context(version=version)
    with socket.create_connection((device.host, device.https), 20) as raw, \
            context.wrap_socket(raw) as tls:
        tls.sendall(b"GET /login.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while tls.recv(4096):
            pass
        session = tls.session
    assert session.has_ticket
    with Caller(device.sips, context=context, session=session) as caller:
        assert caller.alert is None and not caller.resumed


# --- one identity

def presented(port):
    return fingerprint_of(ssl.get_server_certificate(("127.0.0.1", port)))


def fingerprint_of(text):
    return fingerprint(x509.load_pem_x509_certificate(text.encode()))


def shown_to(service, callee):
    """Our certificate, as a server sees it that we call."""
    who = {"conferenceName": "Test", "participantName": f"shown {len(callee.meetings)}",
           "participantProtocol": "sip", "participantType": "ad_hoc"}
    local, before = service.local(), len(callee.meetings)
    local.call("participant.add", **who, address=f"sip:127.0.0.1:{callee.port}",
               useSIPRegistrar=False, transportProtocol="tls")
    wait_for(lambda: local.call("participant.status", **who)["callState"] == "disconnected")
    assert len(callee.meetings) == before + 1
    return fingerprint_of(ssl.DER_cert_to_PEM_cert(callee.meetings[-1].certificate))


def test_one_activation_swaps_all(device, peers, tmp_path):
    """HTTPS, who calls us and whom we call; connections stay."""
    verify(device, "none")
    authority, ca = Authority("Device root"), tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    swap_identity(device, issuer=authority)
    with Caller(device.sips) as standing, Callee(peers[0].files, asks=ca) as callee:
        before = presented(device.sips)
        assert presented(device.https) == before
        assert shown_to(device, callee) == before
        now = swap_identity(device, issuer=authority)
        assert now != before
        assert presented(device.https) == presented(device.sips) == now
        assert shown_to(device, callee) == now
        assert standing.asks()
        assert not callee.meetings[0].ended.is_set()
        assert fingerprint_of(ssl.DER_cert_to_PEM_cert(
            standing.tls.getpeercert(True))) == before


# --- our own certificate

def test_certificate_that_does_not_name_us(device):
    """Said by sip.query, by a warning, and once in the log; the outbound domain
    counts where one is in use."""
    local = device.local()

    def problem():
        warned = "sipCertificateNames" in [
            w["id"] for w in local.call("security.warnings")["warnings"]]
        text = local.call("sip.query")["certificateProblem"]
        assert warned == bool(text)
        return text

    swap_identity(device)
    assert problem() == ""
    swap_identity(device, ("DNS:conference.example",))
    text = problem()
    assert "names neither the host name" in text and "127.0.0.1" in text
    wait_for(lambda: text in device.log(), what="the line in the log")
    try:
        local.call("sip.modify", outboundConfiguration="useTrunk",
                   outboundAddress="127.0.0.1:1", outboundDomain="conference.example")
        assert problem() == ""
        local.call("sip.modify", outboundDomain="other.example")
        assert "does not name the outbound domain other.example" in problem()
    finally:
        local.call("sip.modify", outboundConfiguration="callDirect", outboundAddress="",
                   outboundDomain="")
    assert problem() == text
    swap_identity(device)
    assert problem() == ""


# --- what changes under a handshake (the last ones: refusals are recorded ten a minute)

class Hesitant:
    """A caller that says only so many bytes of its ClientHello (0: all, and keeps
    the end of the handshake back), and the rest when it is told to."""

    def __init__(self, port, version, first):
        self.back, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context(version=version).wrap_bio(self.back, self.out)
        self.raw = socket.create_connection(("127.0.0.1", port), 20)
        assert not self.shakes()
        hello = self.out.read()
        self.raw.sendall(hello[:first] if first else hello)
        self.rest = hello[first:] if first else b""
        while not first and not self.rest:
            self.hears()
            self.shakes()
            self.rest = self.out.read()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.raw.close()

    def shakes(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def hears(self):
        got = self.raw.recv(16384)
        if not got:
            raise ConnectionResetError("the connection has ended")
        self.back.write(got)

    def gets_in(self):
        """Says the rest, and asks: is there an answer?"""
        try:
            self.raw.sendall(self.rest)
            while not self.shakes():
                self.raw.sendall(self.out.read())
                self.hears()
            port = self.raw.getsockname()[1]
            self.tls.write(OPTIONS.format(port=port, number=1).encode())
            self.raw.sendall(self.out.read())
            while True:
                try:
                    return self.tls.read(4096).startswith(b"SIP/2.0 200 ")
                except ssl.SSLWantReadError:
                    self.hears()
        except (ssl.SSLError, ConnectionError):
            return False


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("closing", (False, True))
@pytest.mark.parametrize("change", ("nothing", "verification"))
@pytest.mark.parametrize("first", (1, 100, 0))
def test_handshake_under_a_change(device, first, change, closing, version):
    """Who has not greeted is judged by the new policy. A handshake that has begun
    goes on by the old one, but not where what stands is closed: nobody keeps a
    place from before by being slow."""
    verify(device, "none")
    device.local().call("sip.modify", closeConnections=closing)
    with Hesitant(device.sips, version, first) as caller:
        if change == "verification":
            verify(device, "outgoingAndIncoming")
        assert caller.gets_in() == (change == "nothing" or (not first and not closing))
