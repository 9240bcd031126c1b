# SPDX-License-Identifier: GPL-3.0-or-later
"""We call SIP programs of others: SIPp, baresip, linphone. What they play comes
back to them."""

import contextlib

import pytest

import audio
from baresip import Baresip
from linphone import Linphone
from sealbridge_service import free_ports
from sip_service import SipService
from sipp import Sipp
from tls_tunnel import TlsServer

SECONDS = 3.0  # of sound in a call
ALIKE = 0.9
MANY = 30  # we keep no more participants whose calls have ended
TRANSPORTS = ["udp", "tcp", "tls"]

# SIPp speaks no SRTP: a key for an answer to our offer, so that the call stands.
SAVP = {"profile": "RTP/SAVP",
        "media": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                 "inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with SipService(tmp_path_factory.mktemp("sip")) as service:
        audio.write(service.folder / "song.wav", audio.song(SECONDS), 60)
        yield service


@pytest.fixture(autouse=True)
def no_calls_left(service):
    yield
    service.no_calls()


def heard_itself(path):
    match = audio.compare(audio.song(SECONDS), audio.read(path))
    assert match.similarity > ALIKE, match


@contextlib.contextmanager
def sipp_called(service, folder, scenario, transport, *, who="peer", ca=True, **options):
    """SIPp as callee; gives it and the address to call. With ca, over TLS, we must
    show a certificate."""
    if transport != "tls":
        with Sipp(folder / scenario, scenario, transport=transport, **options) as callee:
            yield callee, f"sip:sipp@127.0.0.1:{callee.port};transport={transport}"
        return
    port, = free_ports(1)  # SIPp names that of the tunnel as its own
    keys = {"via": "TLS", "parameters": ";transport=tls", "contact_port": port, **SAVP}
    with Sipp(folder / scenario, scenario, transport="tcp", keys=keys, **options) as callee, \
            TlsServer(folder / "tunnel", callee.port, service.folder / f"{who}.pem",
                      service.folder / "ca.pem" if ca else None, port=port):
        yield callee, f"sip:sipp@127.0.0.1:{port};transport=tls"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario, reason", [
    ("hang_up", "remoteTeardown"), ("busy", "busy")])
def test_we_call_sipp(service, tmp_path, scenario, transport, reason):
    service.verify("outgoingAndIncoming")
    with sipp_called(service, tmp_path, scenario, transport) as (callee, address):
        name = f"{scenario} {transport}"
        service.place(name, address)
        callee.succeed()
        row = service.wait_participant(name, "disconnected")
    assert row["disconnectReason"] == reason


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_we_call_sipp_and_hang_up(service, tmp_path, transport):
    """Once it has answered: BYE; while it rings: CANCEL."""
    service.verify("outgoingAndIncoming")
    for scenario, state in ("answer", "connected"), ("ring", "alerting"):
        name = f"{scenario} {transport}"
        with sipp_called(service, tmp_path / scenario, scenario, transport) as (callee, address):
            service.place(name, address)
            callee.wait(lambda: "180 Ringing" in callee.text("messages"), what="ringing")
            service.wait_participant(name, state)
            service.disconnect(name)
            callee.succeed()
            row = service.wait_participant(name, "disconnected")
        assert row["disconnectReason"] == "disconnectAll"


def test_we_call_untrusted_tls(service, tmp_path):
    service.verify("outgoing")
    with sipp_called(service, tmp_path, "answer", "tls", who="stranger") as (callee, address):
        service.place("untrusted", address)
        row = service.wait_participant("untrusted", "disconnected")
        assert row["disconnectReason"] == "peerCertificateUntrusted"
        assert "INVITE" not in callee.text("messages")


def test_our_certificate_is_withheld(service, tmp_path):
    """A server that asks for one refuses us then, and is called with it again."""
    service.verify("outgoing")
    reasons = []
    for use in False, True:
        service.local().call("sip.modify", useLocalCertificate=use)
        with sipp_called(service, tmp_path / str(use), "hang_up", "tls") as (callee, address):
            service.place(f"withheld {use}", address)
            row = service.wait_participant(f"withheld {use}", "disconnected")
            reasons.append(row["disconnectReason"])
    assert reasons == ["ownCertificateRefused", "remoteTeardown"]


def test_nobody_there(service):
    port, = free_ports(1)
    for transport in "tcp", "tls":
        name = f"nobody {transport}"
        service.place(name, f"sip:nobody@127.0.0.1:{port};transport={transport}")
        row = service.wait_participant(name, "disconnected")
        assert row["disconnectReason"] == "failedToConnectToServer"


@pytest.mark.sanitized
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_we_call_many(service, tmp_path, transport):
    """All at once; over TCP and TLS one connection does for them."""
    service.verify("outgoingAndIncoming")
    with sipp_called(service, tmp_path, "hang_up", transport, calls=MANY, limit=MANY,
                     duration=1000) as (callee, address):
        names = [f"one of many {n} {transport}" for n in range(MANY)]
        for name in names:
            service.place(name, address)
        callee.succeed()
        for name in names:
            row = service.wait_participant(name, "disconnected")
            assert row["disconnectReason"] == "remoteTeardown"


@pytest.mark.parametrize("encryption", ["srtp-mand", "srtp"])
def test_we_call_baresip(service, tmp_path, encryption):
    service.verify("outgoingAndIncoming")
    with Baresip(tmp_path / "baresip", service.folder / "song.wav", encryption=encryption,
                 who=service.folder / "peer.pem") as callee:
        service.place(f"baresip {encryption}", callee.uri)
        callee.expect("CALL_ESTABLISHED")
        row = service.wait_participant(f"baresip {encryption}", "connected")
        call = service.one_call()
        callee.listen(SECONDS + 0.3)
        service.disconnect(f"baresip {encryption}")
        callee.expect("CALL_CLOSED")
    heard_itself(callee.heard())
    assert row["mediaEncryption"] == call["mediaEncryption"] == "encrypted"
    assert call["verified"] and "CN=peer" in call["peerIdentity"]


def test_we_call_linphone(service, tmp_path):
    """Over TCP, as it takes no TLS."""
    with Linphone(tmp_path / "linphone", service.folder / "song.wav", answers=True) as callee:
        service.place("linphone", callee.uri)
        callee.expect("Media streams established")
        service.wait_participant("linphone", "connected")
        callee.listen(SECONDS + 0.3)
        service.disconnect("linphone")
        callee.expect("ended (")
    heard_itself(callee.recording)
