# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that come, from the first byte to the last: signalling by hand, audio that
is heard again, changes, timers, and ends."""

import contextlib
import os
import re
import signal
import socket
import time

import pytest

from sealbridge_service import process_is_gone, wait_for
from sip_phone import Audio, Call, Line
from sip_ports import free_run

KINDS = ["udp", "tcp", "tls"]
SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
TIMER = ["Supported: timer"]


def all_on(service):
    service.local().call("services.modify", force=True, services=[
        {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True}])


@pytest.fixture(scope="module", autouse=True)
def listening(service):
    all_on(service)


def line_to(service, kind):
    return Line(service.host, service.sips if kind == "tls" else service.sip, kind)


@pytest.fixture
def phone(service):
    """Makes calls; what is open ends with the test."""
    opened = []

    def make(kind, to=service):
        line = line_to(to, kind)
        audio = Audio()
        opened.extend([line, audio])
        return Call(line, f"sip:echo@{to.host}"), audio

    yield make
    for one in opened:
        one.close()


def ends(service, why):
    """How many calls have ended for that reason since the service began."""
    return len(re.findall(f"has ended: {why}", service.log()))


def stand(call, audio, **description):
    """The call stands; the answer to its INVITE."""
    answer = call.invite(audio.description(**description))
    assert answer.status == 200, answer
    call.ack()
    return answer


# --- audio


@pytest.mark.parametrize("payload", [0, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_echo(phone, kind, payload):
    call, audio = phone(kind)
    audio.agree(stand(call, audio, payload=payload).text)
    assert audio.echoes(payload)
    assert call.ask("BYE").status == 200
    assert call.ask("BYE").status == 481
    assert audio.is_not_echoed(bytes(160), payload)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("kind", ["tls", "tcp"])
def test_encrypted_echo(phone, kind, suite):
    call, audio = phone(kind)
    answer = stand(call, audio, profile="RTP/SAVP", crypto=f"7 {suite}")
    assert f"a=crypto:7 {suite} inline:" in answer.text and " RTP/SAVP 0\r\n" in answer.text
    audio.agree(answer.text, suite)
    assert audio.echoes()
    # What was not made with the key is not echoed, nor does it take the call over.
    sealing, audio.out = audio.out, None
    assert audio.is_not_echoed(b"x" * 160)
    audio.out = sealing
    assert audio.echoes()
    assert call.ask("BYE").status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_late_offer(phone, kind):
    """Encrypted when the signalling is."""
    call, audio = phone(kind)
    answer = call.invite()
    assert answer.status == 200
    suite = SUITES[0] if kind == "tls" else None
    assert (" RTP/SAVP 0 8 101\r\n" if suite else " RTP/AVP 0 8 101\r\n") in answer.text
    call.ack(audio.description(profile="RTP/SAVP", crypto=f"1 {suite}") if suite
             else audio.description())
    audio.agree(answer.text, suite)
    assert audio.echoes()
    assert call.ask("BYE").status == 200


@pytest.mark.parametrize("answer,why", [
    ("", "protocolError"), ("v=0\r\nrubbish", "capabilityNegotiationError")])
def test_bad_answer_to_a_late_offer(service, phone, answer, why):
    before = ends(service, why)
    call, _ = phone("tcp")
    assert call.invite().status == 200
    call.ack(answer)
    bye = call.line.request("BYE")
    call.line.reply(bye, 200)
    wait_for(lambda: ends(service, why) == before + 1)


# --- families


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def at_family(request):
    """A service on one address only, and that of the other family."""
    from sealbridge_service import Service
    with Service(listen=request.param) as service:
        all_on(service)
        yield service, {"127.0.0.1": "::1", "::1": "127.0.0.1"}[request.param]


@pytest.mark.parametrize("kind", KINDS)
def test_media_of_another_family(at_family, kind):
    """The offer says where the audio is; it may move there and back."""
    service, other = at_family
    line = line_to(service, kind)
    call = Call(line, f"sip:echo@{line.address}")
    audio, there, back = Audio(other), Audio(service.host), Audio(other)
    how = {"profile": "RTP/SAVP", "crypto": f"1 {SUITES[0]}"} if kind == "tls" else {}
    suite = SUITES[0] if how else None
    audio.agree(stand(call, audio, **how).text, suite)
    assert audio.to[0] == other
    assert audio.echoes()
    for one in there, back:
        answer = call.ask("UPDATE", one.description(**how))
        assert answer.status == 200
        one.agree(answer.text, suite)
        assert one.to[0] == one.host
        assert one.echoes()
    # Of our own offer the signalling's family is.
    again = Call(line, call.uri)
    answer = again.invite()
    assert answer.status == 200 and f"c=IN {there.family} {service.host}\r\n" in answer.text
    again.ack()
    line.reply(line.request("BYE"), 200)
    assert call.ask("BYE").status == 200
    for one in line, audio, there, back:
        one.close()


def test_media_out_of_reach(at_family):
    """A link-local address without its link is reached from nowhere, one of the family that
    the service listens on is not looked at."""
    service, other = at_family
    line = line_to(service, "tcp")
    audio = Audio("::1")
    answer = Call(line, f"sip:echo@{line.address}").invite(audio.description(address="fe80::1"))
    if other == "::1":
        assert answer.status == 488 and answer.get("warning").startswith("301 ")
    else:
        assert answer.status == 200
    line.close()
    audio.close()


# --- what is refused


@pytest.mark.parametrize("fields,body,status,field,value", [
    ((), "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n"
         "m=audio 9 RTP/AVP 18\r\n", 488, "Warning", "305 "),
    ((), "rubbish", 400, "Warning", "399 "),
    (["Require: 100rel"], "", 420, "Unsupported", "100rel"),
    (["Supported: timer", "Session-Expires: 30"], "", 422, "Min-SE", "90"),
])
def test_refused(phone, fields, body, status, field, value):
    call, _ = phone("tcp")
    answer = call.invite(body, fields)
    assert answer.status == status and answer.get(field).startswith(value)


def test_sips_needs_tls(phone):
    call, audio = phone("tcp")
    call.uri = call.target = "sips:echo@127.0.0.1"
    assert call.invite(audio.description()).status == 480
    call, audio = phone("tls")
    call.uri = call.target = "sips:echo@127.0.0.1"
    answer = call.invite(audio.description())
    assert answer.status == 200 and answer.get("contact").startswith("<sips:")
    call.ack()
    assert call.ask("BYE").status == 200


# --- changes


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_hold(phone, method):
    call, audio = phone("tls")
    audio.agree(stand(call, audio).text)
    assert audio.echoes()

    def change(direction):
        ask = call.reinvite if method == "INVITE" else lambda body: call.ask("UPDATE", body)
        answer = ask(audio.description(direction=direction))
        assert answer.status == 200
        return re.search(r"a=(sendrecv|sendonly|recvonly|inactive)", answer.text)[1]

    assert change("sendonly") == "recvonly"
    assert audio.is_not_echoed(b"h" * 160)
    assert change("inactive") == "inactive"
    assert change("sendrecv") == "sendrecv"
    assert audio.echoes()
    assert call.ask("BYE").status == 200


def test_moves(phone):
    """Other ports for audio, and another connection for the signalling."""
    call, audio = phone("tls")
    audio.agree(stand(call, audio).text)
    assert audio.echoes()
    call.line.close()
    other, elsewhere = phone("tls")
    call.line = other.line
    answer = call.reinvite(elsewhere.description())
    assert answer.status == 200
    elsewhere.agree(answer.text)
    assert elsewhere.echoes()
    assert call.ask("BYE").status == 200


def test_refused_change(phone):
    call, audio = phone("tcp")
    audio.agree(stand(call, audio).text)
    for method in "INVITE", "UPDATE":
        assert call.ask(method, "rubbish").status == 400
        assert call.ask(method, audio.description(payload=18)).status == 488
    assert call.ask("INFO", "Signal=1").status == 415
    assert call.ask("INFO").status == 200
    assert audio.echoes()
    assert call.ask("BYE").status == 200


def test_other_transport_cannot_end_it(service, phone):
    """Who reads plain text must not be able to end a call over TLS."""
    call, audio = phone("tls")
    audio.agree(stand(call, audio).text)
    plain = line_to(service, "tcp")
    assert call.ask("BYE", line=plain).status == 481
    plain.close()
    assert audio.echoes()
    assert call.ask("BYE").status == 200


def test_glare(phone):
    """An offer of ours waits for its answer."""
    call, audio = phone("tcp")
    stand(call, audio)
    assert call.ask("INVITE").status == 200
    waiting = call.cseq
    assert call.ask("UPDATE", audio.description()).status == 491
    assert call.ask("INVITE", audio.description()).status == 491
    call.send("ACK", audio.description(), cseq=waiting)
    assert call.ask("UPDATE", audio.description()).status == 200
    assert call.ask("BYE").status == 200


# --- time


def test_session_timer(phone):
    call, audio = phone("tcp")
    answer = call.invite(audio.description(),
                         [*TIMER, "Session-Expires: 90;refresher=uac"])
    assert answer.get("session-expires") == "90;refresher=uac"
    assert answer.get("require") == "timer"
    call.ack()
    again = call.ask("UPDATE", "", [*TIMER, "Session-Expires: 120;refresher=uas"])
    assert again.status == 200
    assert again.get("session-expires") == "120;refresher=uas"
    assert call.ask("BYE").status == 200


def bye_meanwhile(line, act, seconds=40):
    """The next BYE; until then something is done again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        act()
        try:
            return line.request("BYE", 0.5)
        except socket.timeout:
            pass
    raise AssertionError("no BYE")


def test_no_media(make_service):
    """Silence ends a call, but not while it is held, nor while the other side reports;
    reports from another host are nobody's."""
    service = make_service()
    all_on(service)
    service.local().call("sip.modify", mediaTimeoutSeconds=10)
    line = line_to(service, "tcp")
    reporting, held, silent = calls = [Call(line, "sip:echo@127.0.0.1") for _ in range(3)]
    audios = [Audio() for _ in calls]
    directions = ["sendrecv", "sendonly", "sendrecv"]
    for call, audio, direction in zip(calls, audios, directions):
        audio.agree(stand(call, audio, direction=direction).text)

    def report():
        audios[0].report()
        audios[2].report("127.0.0.2")

    bye = bye_meanwhile(line, report)
    assert bye.get("call-id") == silent.id
    line.reply(bye, 200)
    wait_for(lambda: ends(service, "networkError, no media") == 1, what="the end in the log")
    # Without them it ends, too.
    bye = line.request("BYE")
    assert bye.get("call-id") == reporting.id
    line.reply(bye, 200)
    assert held.ask("BYE").status == 200
    line.close()
    for audio in audios:
        audio.close()


def test_no_ack(service, phone):
    before = ends(service, "networkError, the other side did not confirm")
    call, audio = phone("udp")
    assert call.invite(audio.description()).status == 200
    # The 2xx is repeated, then the call is ended (RFC 3261 13.3.1.4).
    assert call.line.answer("INVITE").status == 200
    bye = call.line.request("BYE", 120)
    call.line.reply(bye, 200)
    wait_for(lambda: ends(service, "networkError, the other side did not confirm") == before + 1,
             what="the end in the log")


# --- ends of the service


def test_restart_hangs_up(make_service):
    service = make_service()
    all_on(service)
    line = line_to(service, "tls")
    audio = Audio()
    calls = [Call(line, "sip:echo@127.0.0.1") for _ in range(5)]
    for call in calls:
        stand(call, audio)
    os.kill(service.pid, signal.SIGHUP)
    byes = [line.request("BYE") for _ in calls]
    assert {bye.get("call-id") for bye in byes} == {call.id for call in calls}
    with contextlib.suppress(ConnectionError):  # it does not wait for ever
        for bye in byes:
            line.reply(bye, 200)
    line.close()
    wait_for(lambda: service.log().count("is ready") == 2, what="the next run")
    line = line_to(service, "tls")
    call = Call(line, "sip:echo@127.0.0.1")
    audio.agree(stand(call, audio).text)
    assert audio.echoes()
    line.close()
    audio.close()


def test_ends_though_nobody_answers(make_service):
    """The end waits for no peer."""
    service = make_service()
    all_on(service)
    line = line_to(service, "udp")
    audio = Audio()
    stand(Call(line, "sip:echo@127.0.0.1"), audio)
    pid = service.pid
    os.kill(pid, signal.SIGTERM)
    line.request("BYE")
    wait_for(lambda: process_is_gone(pid), what="the end")
    assert "not ended" not in service.log()
    line.close()
    audio.close()


def test_killed(make_service):
    """After kill -9 a call is unknown, and new ones are taken."""
    service = make_service()
    all_on(service)
    line = line_to(service, "udp")
    audio = Audio()
    call = Call(line, f"sip:echo@{service.host}")
    stand(call, audio)
    service.kill()
    service.start()
    service.wait_ready()
    assert call.ask("BYE").status == 481
    again = Call(line, f"sip:echo@{service.host}")
    audio.agree(stand(again, audio).text)
    assert audio.echoes()
    line.close()
    audio.close()


# --- ports


def test_ports(make_service):
    """Those of the configuration, and no more calls than they are enough for."""
    service = make_service(start=False)
    first = free_run(5)
    first += first % 2
    service.configure(f"[sip]\nfirst-media-port = {first}\nlast-media-port = {first + 3}\n")
    service.start()
    line = line_to(service, "tls")
    audios = Audio(), Audio()
    calls = [Call(line, "sip:echo@127.0.0.1") for _ in range(3)]
    for call, audio in zip(calls, audios):
        audio.agree(stand(call, audio).text)
        assert audio.to[1] in (first, first + 2)
    answer = calls[2].invite(audios[0].description())
    assert answer.status == 503 and answer.get("retry-after")
    assert calls[0].ask("BYE").status == 200
    stand(calls[2], audios[0])
    assert audios[1].echoes()
    line.close()
    for audio in audios:
        audio.close()


def test_no_ports(make_service):
    service = make_service(start=False)
    service.configure("[sip]\nfirst-media-port = 42003\nlast-media-port = 42001\n")
    with pytest.raises(AssertionError, match="media ports 42003 to 42001"):
        service.start()


def test_start_that_fails_behind_sip(make_service):
    """It ends in order: a file stands where the control socket is to be."""
    service = make_service()
    service.stop()
    (service.state / "control.sock").write_text("no socket\n")
    with pytest.raises(AssertionError, match="control.sock"):
        service.start_bare()
    assert "Sanitizer" not in service.log()


# --- many


def test_many_at_a_time(phone, service):
    """Each hears itself, and its ports are free again afterwards."""
    call, _ = phone("tls")
    several = [(Call(call.line, call.uri), Audio()) for _ in range(60)]
    for one, audio in several:
        audio.agree(stand(one, audio).text)
    assert len({audio.to for _, audio in several}) == 60
    assert all(audio.echoes() for _, audio in several)
    for one, audio in several:
        assert one.ask("BYE").status == 200
        audio.close()
