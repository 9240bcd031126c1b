# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP programs of others call us and are called: SIPp, baresip, linphone, sipsak.
The peers' sound comes back to them as they sent it."""

import contextlib
import os

import pytest

import audio
from baresip import Baresip
from linphone import Linphone
from sealbridge_service import run
from sip_service import SipService
from sipp import Sipp
from tls_tunnel import TlsClient

SECONDS = 3.0  # of sound in a call
ALIKE = 0.9
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
def as_before(service):
    """Each test begins without verification, and leaves no call."""
    service.verify("none")
    yield
    service.no_calls()


def heard_itself(path):
    match = audio.compare(audio.song(SECONDS), audio.read(path))
    assert match.similarity > ALIKE, match


@contextlib.contextmanager
def sipp_calls(service, folder, scenario, transport, *, who="peer", keys=None, **options):
    """SIPp as caller, over TLS behind socat."""
    keys = {"uri": service.sip_uri(transport), **(keys or {})}
    if transport != "tls":
        with Sipp(folder / scenario, scenario, service.sip, transport=transport, keys=keys,
                  **options) as caller:
            yield caller
        return
    with TlsClient(folder / "tunnel", service.sips, who and service.folder / f"{who}.pem",
                   service.folder / "ca.pem") as tunnel, \
            Sipp(folder / scenario, scenario, tunnel.port, transport="tcp",
                 keys={"via": "TLS", "parameters": ";transport=tls", **keys},
                 **options) as caller:
        yield caller


# --- OPTIONS

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_sipsak(service, tmp_path, transport):
    # sipsak takes the tickets of TLS 1.3 for an answer.
    priorities = tmp_path / "priorities"
    priorities.write_text("[overrides]\ndisabled-version = tls1.3\n")
    # The name of this machine need not be one that can be looked up.
    done = run("sipsak", "-H", "127.0.0.1", "-vv", "-E", transport, "-s",
               f"sip:echo@127.0.0.1:{service.sip_port(transport)}", timeout=60,
               env={**os.environ, "GNUTLS_SYSTEM_PRIORITY_FILE": str(priorities)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIP/2.0 200 " in done.stdout and "Allow: INVITE" in done.stdout, done.stdout


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_options(service, tmp_path, transport):
    with sipp_calls(service, tmp_path, "options", transport, calls=5) as caller:
        caller.succeed()


# --- SIPp calls us

@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", ["call", "late_offer", "hold", "cancel"])
def test_sipp_calls(service, tmp_path, scenario, transport):
    # Over TLS we offer SRTP.
    keys = SAVP if (scenario, transport) == ("late_offer", "tls") else {}
    with sipp_calls(service, tmp_path, scenario, transport, calls=3, keys=keys) as caller:
        caller.succeed()


@pytest.mark.sanitized
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_calls(service, tmp_path, transport):
    with sipp_calls(service, tmp_path, "call", transport, calls=200, rate=50, limit=60,
                    duration=500) as caller:
        caller.succeed()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_we_hang_up(service, tmp_path, transport):
    """Our BYE goes to where the call came from, over the connection that stands."""
    with sipp_calls(service, tmp_path, "stay", transport) as caller:
        call = service.one_call()
        assert call["direction"] == "incoming" and call["transport"] == transport.upper()
        service.local().call("calls.disconnect", callId=call["callId"])
        caller.succeed()


def test_tls_caller_without_trusted_certificate(service, tmp_path):
    """With verification of both directions, the certificate of a caller decides."""
    service.verify("outgoingAndIncoming")
    for who in None, "stranger":
        with sipp_calls(service, tmp_path / str(who), "call", "tls", who=who) as caller:
            assert caller.finish().successful == 0
    with sipp_calls(service, tmp_path / "peer", "stay", "tls") as caller:
        call = service.one_call()
        assert call["verified"] and "CN=peer" in call["peerIdentity"]
        service.local().call("calls.disconnect", callId=call["callId"])
        caller.succeed()


# --- baresip calls us

@pytest.mark.sanitized
@pytest.mark.parametrize("transport, encryption", [
    ("tls", "srtp-mand"), ("tls", "srtp"), ("tls", None), ("tcp", None), ("udp", None)])
def test_baresip_hears_itself(service, tmp_path, transport, encryption):
    service.verify("outgoingAndIncoming")
    with Baresip(tmp_path / "baresip", service.folder / "song.wav", transport=transport,
                 encryption=encryption, who=service.folder / "peer.pem") as caller:
        caller.dial(service.sip_uri(transport))
        caller.expect("CALL_ESTABLISHED")
        call = service.one_call()
        caller.listen(SECONDS + 0.3)
        caller.hang_up()
    heard_itself(caller.heard())
    assert call["codec"] == "PCMU" and call["transport"] == transport.upper()
    # baresip's "srtp" offers it beside an RTP/AVP without, which is taken.
    assert call["mediaEncryption"] == (
        "encrypted" if encryption == "srtp-mand" else "unencrypted")
    if transport == "tls":
        assert call["tlsVersion"] == "TLSv1.3" and call["verified"]
        assert "CN=peer" in call["peerIdentity"]


def refused_peers(service, since):
    """Subjects of certificates that were refused from that record on, "" for none at
    all."""
    events = service.local().call("auditlog.enumerate", index=since, numEvents=200)["events"]
    return [e["fields"].get("subject", "") for e in events if e["event"] == "sipPeerRefused"]


def test_baresip_without_certificate(service, tmp_path):
    """Welcome until incoming calls are verified."""
    def calls(name, **how):
        return Baresip(tmp_path / name, service.folder / "song.wav", encryption="srtp-mand",
                       **how)
    with calls("before") as caller:
        caller.dial(service.sip_uri("tls"))
        caller.expect("CALL_ESTABLISHED")
        assert not service.one_call()["verified"]
        caller.hang_up()
    service.verify("outgoingAndIncoming")
    since = service.local().call("auditlog.query")["lastIndex"] + 1
    for name, who in ("nobody", None), ("stranger", service.folder / "stranger.pem"):
        with calls(name, who=who) as caller:
            caller.dial(service.sip_uri("tls"))
            # It does not look at alerts, and would wait for half a minute.
            caller.wait(lambda: any(("CN=stranger" in subject) == bool(who)
                                    for subject in refused_peers(service, since)),
                        what="the refusal")
            assert not caller.seen("CALL_ESTABLISHED")


def test_baresip_holds_and_sends_digits(service, tmp_path):
    """Digits do no harm; hold is heard by us and taken back."""
    with Baresip(tmp_path / "baresip", service.folder / "song.wav", encryption="srtp-mand",
                 who=service.folder / "peer.pem") as caller:
        caller.dial(service.sip_uri("tls"))
        caller.expect("CALL_ESTABLISHED")
        for digit in "159#":
            caller.command("sndcode", digit)
        caller.command("hold")
        service.one_call(lambda c: c["held"], "hold")
        caller.command("resume")
        call = service.one_call(lambda c: not c["held"], "the end of hold")
        service.one_call(lambda c: c["packetsReceived"] > call["packetsReceived"] + 20,
                         "media after hold")
        caller.hang_up()


# --- linphone calls us

def linphone(service, folder, **how):
    return Linphone(folder, service.folder / "song.wav", **{
        "ca": service.folder / "ca.pem", "encryption": "srtp",
        "who": (service.folder / "peer-certificate.pem", service.folder / "peer-key.pem"),
        **how})


def test_linphone_hears_itself(service, tmp_path):
    """It verifies our certificate and insists on SRTP; its codecs are more than
    ours."""
    with linphone(service, tmp_path / "linphone") as caller:
        caller.dial(service.sip_uri("tls"))
        caller.expect("Media streams established")
        call = service.one_call()
        caller.listen(SECONDS + 0.3)
        caller.hang_up()
    heard_itself(caller.recording)
    assert call["mediaEncryption"] == "encrypted" and call["codec"] == "PCMU"


def test_linphone_pauses_and_sends_digits(service, tmp_path):
    """Each digit comes back, and the song after a pause as before it."""
    with linphone(service, tmp_path / "linphone") as caller:
        caller.dial(service.sip_uri("tls"))
        caller.expect("Media streams established")
        caller.say("pause")
        caller.expect("is now paused")
        service.one_call(lambda c: c["held"], "pause")
        caller.say("resume")
        service.one_call(lambda c: not c["held"], "the end of the pause")
        for digit in "5", "#":
            caller.say(digit)
            caller.expect(f"Receiving tone {digit}")
        caller.hang_up()


def test_linphone_mistrusts_us(service, tmp_path):
    with linphone(service, tmp_path / "linphone",
                  ca=service.folder / "stranger-ca.pem") as caller:
        caller.dial(service.sip_uri("tls"))
        caller.expect("error.")
        assert "Certificate verification failed" in caller.text("log")
    assert not service.calls()
