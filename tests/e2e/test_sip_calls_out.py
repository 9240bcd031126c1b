# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that are placed here, as the one who is called sees them on the wire, and
what the API says of how they end."""

import os
import re
import signal
import socket

import pytest

from sealbridge_service import free_ports, process_is_gone, wait_for
from sip_callee import (  # the fixtures are used by name
    KINDS, Placed, audio, callee, listening, peer_files, take)
from sip_phone import Call, Line


@pytest.mark.parametrize("kind", KINDS)
def test_echo(service, callee, audio, kind):
    to = callee(kind)
    placed = Placed(service, to)
    invite = to.invited()
    assert invite.get("from").startswith("<sip:") and "tag=" in invite.get("from")
    assert "timer" in invite.get("supported") and "UPDATE" in invite.get("allow")
    assert placed.until("alerting")
    to.line.reply(invite, 180, fields=to.contact())
    assert take(to, invite, audio) == (kind == "tls")
    status = placed.until("connected")
    assert status["mediaEncryption"] == ("encrypted" if kind == "tls" else "unencrypted")
    assert audio.echoes()
    placed.hang_up()
    bye = to.line.request("BYE")
    to.line.reply(bye, 200)
    assert placed.ended_by() == "disconnectAll"


def test_they_hang_up(service, callee, audio):
    to = callee("tcp")
    placed = Placed(service, to)
    invite = to.invited()
    take(to, invite, audio)
    placed.until("connected")
    us = re.search(r"<(.*?)>", invite.get("contact"))[1]
    to.line.send(f"BYE {us} SIP/2.0", [
        "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKbye", f"From: {invite.get('to')};tag=phone",
        f"To: {invite.get('from')}", f"Call-ID: {invite.get('call-id')}", "CSeq: 1 BYE"])
    assert to.line.answer("BYE").status == 200
    assert placed.ended_by() == "remoteTeardown"


@pytest.mark.parametrize("status,reason", [
    (486, "busy"), (603, "rejected"), (404, "destinationUnreachable"), (302, "moved"),
    (488, "capabilityNegotiationError"), (503, "serviceUnavailable"),
    (407, "authenticationFailed")])
def test_refusals(service, callee, status, reason):
    to = callee("tcp")
    placed = Placed(service, to)
    invite = to.invited()
    to.line.reply(invite, status, fields=["Contact: <sip:elsewhere@127.0.0.1>"])
    to.line.request("ACK")
    assert placed.ended_by() == reason


def test_cancelled(service, callee):
    to = callee("udp")
    placed = Placed(service, to)
    invite = to.invited()
    to.line.reply(invite, 180, fields=to.contact())
    placed.until("alerting")
    placed.hang_up()
    cancel = to.line.request("CANCEL")
    to.line.reply(cancel, 200)
    to.line.reply(invite, 487)
    assert to.line.request("ACK").get("cseq").endswith("ACK")
    assert placed.ended_by() == "disconnectAll"


def test_answer_that_does_not_fit(service, callee, audio):
    """Encryption was offered, and not taken: the call is ended at once."""
    to = callee("tls")
    placed = Placed(service, to)
    invite = to.invited()
    to.line.reply(invite, 200, audio.description(), to.contact())
    to.line.request("ACK")
    to.line.reply(to.line.request("BYE"), 200)
    assert placed.ended_by() == "capabilityNegotiationError"


def test_forks(service, callee, audio):
    """The first who answers has it; who answers later is told that it is over."""
    to = callee("tcp")
    placed = Placed(service, to)
    invite = to.invited()
    take(to, invite, audio)
    placed.until("connected")
    to.line.reply(invite, 200, audio.description(), to.contact(), tag="second")
    assert "tag=second" in to.line.request("ACK").get("to")
    bye = to.line.request("BYE")
    assert "tag=second" in bye.get("to")
    to.line.reply(bye, 200)
    assert audio.echoes()
    placed.hang_up()
    to.line.reply(to.line.request("BYE"), 200)


def test_nobody_listens(service):
    port, = free_ports(1)
    placed = Placed(service, None, address=f"x@127.0.0.1:{port};transport=tcp")
    assert placed.ended_by() == "failedToConnectToServer"


def test_lost_connection(service, callee, audio):
    """The call goes on without it, and its end finds another way."""
    to = callee("tcp")
    placed = Placed(service, to)
    invite = to.invited()
    take(to, invite, audio)
    placed.until("connected")
    to.line.close()
    assert audio.echoes()
    assert placed.status()["callState"] == "connected"
    placed.hang_up()
    bye = to.take().request("BYE")
    assert bye.get("call-id") == invite.get("call-id")
    to.line.reply(bye, 200)
    assert placed.ended_by() == "disconnectAll"


def test_session_interval(service, callee, audio):
    """Asked once more with what the other side wants at least (RFC 4028 7.4)."""
    to = callee("tcp")
    placed = Placed(service, to)
    first = to.invited()
    to.line.reply(first, 422, fields=["Min-SE: 4000"])
    second = to.invited()
    assert second.get("session-expires") == second.get("min-se") == "4000"
    assert second.get("call-id") == first.get("call-id")
    take(to, second, audio)
    placed.until("connected")
    placed.hang_up()
    to.line.reply(to.line.request("BYE"), 200)


def test_password_is_for_the_registrar(service, callee):
    """A challenge of anybody else is an answer like another."""
    with socket.create_server(("127.0.0.1", 0)) as registrar:
        service.local().call(
            "sip.modify", outboundConfiguration="useRegistrar", outboundDomain="pbx.example",
            userName="bridge", outgoingTransport="tcp", password="Unmistakable-1",
            outboundAddress=f"127.0.0.1:{registrar.getsockname()[1]}")
        to = callee("tcp")
        placed = Placed(service, to)
        invite = to.invited()
        to.line.reply(invite, 401, fields=[
            'WWW-Authenticate: Digest realm="pbx.example", nonce="n", qop="auth"'])
        to.line.request("ACK")
        assert placed.ended_by() == "authenticationFailed"
        with pytest.raises(TimeoutError):
            to.line.request("INVITE", 1)
        service.local().call("sip.modify", outboundConfiguration="callDirect", password="")


def test_end_with_calls_of_all_kinds(make_service, audio):
    """Without a name yet, without a connection, without an answer, without an ACK."""
    service = make_service()
    service.local().call("services.modify", force=True, services=[
        {"name": "sip_udp", "setting": True}])
    line = Line(service.host, service.sip, "udp")
    for offer in audio.description(), "":
        assert Call(line, "sip:echo@127.0.0.1").invite(offer).status == 200
    with socket.create_server(("127.0.0.1", 0)) as deaf, \
            socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        for where, kind in (deaf, "tls"), (deaf, "tcp"), (silent, "udp"):
            port = where.getsockname()[1]
            Placed(service, None, address=f"x@127.0.0.1:{port};transport={kind}")
        Placed(service, None, address="x@name.invalid")
        pid = service.pid
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: process_is_gone(pid), what="the end")
    line.close()
    assert "Sanitizer" not in service.log() and "runtime error" not in service.log()
    assert len(re.findall("has ended: disconnectAll", service.log())) >= 5
