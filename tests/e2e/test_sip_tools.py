# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP clients of the other tests call each other: what they show of the
service is worth something only if they can fail."""

import numpy
import pytest

import audio
from baresip import Baresip
from certificates import Authority, key_pem, new_key, pem
from linphone import Linphone
from sipp import Sipp
from tls_tunnel import TlsClient, TlsServer

SECONDS = 2.5  # of sound in a call
ALIKE = 0.9


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two songs, a certificate with its key, its authority and another one."""
    folder = tmp_path_factory.mktemp("sip-tools")
    authority, key = Authority(), new_key()
    certificate = authority.issue(key, names=("IP:127.0.0.1", "DNS:127.0.0.1"))
    (folder / "who.pem").write_text(pem(certificate) + key_pem(key))
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "stranger.pem").write_text(Authority("Stranger").pem)
    for name, seed in ("one", 1), ("two", 2):
        audio.write(folder / f"{name}.wav", audio.song(SECONDS, seed), 60)
    return folder


def alike(path, seed):
    return audio.compare(audio.song(SECONDS, seed), audio.read(path))


# --- comparing sound

SONG = audio.song()
RANDOM = numpy.random.default_rng(7)


def mulaw(samples):
    """What G.711 leaves of it: 8 bits of a logarithm."""
    coded = numpy.sign(samples) * numpy.log1p(255 * numpy.abs(samples)) / numpy.log(256)
    coded = numpy.round(coded * 127) / 127
    return numpy.sign(coded) * (256 ** numpy.abs(coded) - 1) / 255


def later(samples, seconds):
    return numpy.concatenate((numpy.zeros(int(seconds * audio.RATE)), samples))


def without_packets(samples, every):
    """One in so many packets of 20 ms is missing, and nothing stands for it."""
    packets = samples[:len(samples) // 160 * 160].reshape(-1, 160)
    return packets[numpy.arange(len(packets)) % every != every - 1].reshape(-1)


@pytest.mark.parametrize("recorded, delay", [
    (SONG, 0), (mulaw(SONG), 0), (0.1 * SONG, 0),
    (later(SONG, 0.25), 0.25), (later(mulaw(SONG), 1.5), 1.5), (SONG[800:], -0.1),
    (SONG + RANDOM.normal(0, 0.05, len(SONG)), 0),
], ids=["same", "mulaw", "quiet", "later", "mulaw later", "late recording", "some noise"])
def test_same_sound(recorded, delay):
    match = audio.compare(SONG, recorded)
    assert match.similarity > ALIKE
    assert match.delay == pytest.approx(delay, abs=0.001)


@pytest.mark.parametrize("recorded", [
    numpy.zeros(len(SONG)), RANDOM.normal(0, 0.3, len(SONG)), audio.song(seed=2),
    SONG[::-1], numpy.sin(numpy.arange(len(SONG)) * 0.8), SONG[:len(SONG) // 4], SONG[:100],
    numpy.zeros(0), RANDOM.normal(0, 1e-4, len(SONG)), without_packets(SONG, 3),
    numpy.round(SONG * 4) / 4 * (RANDOM.random(len(SONG)) < 0.3),
], ids=["silence", "noise", "another song", "backwards", "a tone", "a quarter", "a moment",
        "nothing", "faint noise", "a third lost", "torn"])
def test_other_sound(recorded):
    assert audio.compare(SONG, recorded).similarity < 0.75


def test_files(tmp_path):
    path = audio.write(tmp_path / "a.wav", SONG)
    assert numpy.max(numpy.abs(audio.read(path) - SONG)) < 1e-4


# --- baresip, linphone

def test_baresip_calls_baresip(tmp_path, files):
    """Over TLS with SRTP; each hears what the other plays, and not itself."""
    ours = {"encryption": "srtp-mand", "who": files / "who.pem"}
    with Baresip(tmp_path / "called", files / "two.wav", **ours) as called, \
            Baresip(tmp_path / "calls", files / "one.wav", **ours) as caller:
        caller.dial(called.uri)
        caller.expect("CALL_ESTABLISHED")
        for program in caller, called:
            program.listen(SECONDS + 0.3)
        caller.hang_up()
        called.expect("CALL_CLOSED")
        assert "AES_CM_128_HMAC_SHA1_80" in caller.seen("CALL_MENC")[0]["param"]
    assert alike(caller.heard(), 2).similarity > ALIKE
    assert alike(called.heard(), 1).similarity > ALIKE
    assert alike(caller.heard(), 1).similarity < 0.75


def test_baresip_without_encryption_is_refused(tmp_path, files):
    with Baresip(tmp_path / "called", files / "two.wav", encryption="srtp-mand",
                 who=files / "who.pem") as called, \
            Baresip(tmp_path / "calls", files / "one.wav", who=files / "who.pem") as caller:
        caller.dial(called.uri)
        assert "488" in caller.expect("CALL_CLOSED")["param"]
        assert not caller.seen("CALL_ESTABLISHED")


def test_linphone_calls_baresip(tmp_path, files):
    """linphonec verifies the certificate that it is shown."""
    with Baresip(tmp_path / "called", files / "two.wav", encryption="srtp-mand",
                 who=files / "who.pem") as called:
        with Linphone(tmp_path / "stranger", files / "one.wav", encryption="srtp",
                      ca=files / "stranger.pem") as mistrusts:
            mistrusts.dial(called.uri)
            mistrusts.expect("error.")
            assert "Certificate verification failed" in mistrusts.text("log")
        assert not called.seen("CALL_INCOMING")
        with Linphone(tmp_path / "calls", files / "one.wav", encryption="srtp",
                      ca=files / "ca.pem") as caller:
            caller.dial(called.uri)
            caller.expect("Media streams established")
            for program in caller, called:
                program.listen(SECONDS + 0.3)
            caller.hang_up()
            called.expect("CALL_CLOSED")
    assert alike(caller.recording, 2).similarity > ALIKE
    assert alike(called.heard(), 1).similarity > ALIKE


def test_baresip_calls_linphone(tmp_path, files):
    with Linphone(tmp_path / "called", files / "two.wav", answers=True) as called, \
            Baresip(tmp_path / "calls", files / "one.wav", transport="tcp") as caller:
        caller.dial(called.uri)
        caller.expect("CALL_ESTABLISHED")
        for program in caller, called:
            program.listen(SECONDS + 0.3)
        caller.hang_up()
        called.expect("ended (")
    assert alike(caller.heard(), 2).similarity > ALIKE
    assert alike(called.recording, 1).similarity > ALIKE


# --- SIPp

@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("calls, called", [("call", "answer"), ("stay", "hang_up")])
def test_sipp_calls_sipp(tmp_path, transport, calls, called):
    with Sipp(tmp_path / "called", called, transport=transport, calls=5) as callee, \
            Sipp(tmp_path / "calls", calls, callee.port, transport=transport,
                 calls=5) as caller:
        caller.succeed()
        callee.succeed()


def test_sipp_counts_failures(tmp_path):
    """Refused calls are no success of a scenario that wants them answered, on
    either side."""
    with Sipp(tmp_path / "called", "busy", calls=2) as callee, \
            Sipp(tmp_path / "calls", "call", callee.port, calls=2) as caller:
        assert caller.finish().failed == 2
        with pytest.raises(AssertionError, match="failed=2"):
            caller.succeed()


def test_sipp_over_tls(tmp_path, files):
    """Each side behind a tunnel; both ends of TLS verify."""
    both = {"who": files / "who.pem", "ca": files / "ca.pem"}
    with Sipp(tmp_path / "called", "answer", transport="tcp") as callee, \
            TlsServer(tmp_path / "server", callee.port, **both) as server:
        for name, wrong in (("nobody", {"who": None}), ("stranger", {"ca": files / "stranger.pem"})):
            with TlsClient(tmp_path / name, server.port, **{**both, **wrong}) as client, \
                    Sipp(tmp_path / f"calls-{name}", "call", client.port,
                         transport="tcp") as caller:
                assert caller.finish().successful == 0
        with TlsClient(tmp_path / "client", server.port, **both) as client, \
                Sipp(tmp_path / "calls", "call", client.port, transport="tcp",
                     keys={"via": "TLS"}) as caller:
            caller.succeed()
            callee.succeed()
