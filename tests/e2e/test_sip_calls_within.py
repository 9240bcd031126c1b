# SPDX-License-Identifier: GPL-3.0-or-later
"""Where requests within a call go, as those see it on the wire who are meant and those
who are not; and what crosses on the way."""

import contextlib
import re
import socket

import pytest

from sealbridge_service import free_ports, wait_for
from sip_callee import (  # the fixtures are used by name
    KINDS, SUITE, Placed, audio, callee, listening, peer_files, take)
from sip_wire import FLOWS, TcpFlow, UdpFlow, sdp, unique

# Who refreshes the session, and how soon: half of it.
REFRESHES = "Session-Expires: 90;refresher=uac"


def line_of(place):
    """Where somebody else than the callee is: as soon as we have come there."""
    return place.datagrams() if place.kind == "udp" else place.take()


def answer(to, invite, audio, *fields):
    """200, with those fields in place of the callee's own Contact."""
    secure = " RTP/SAVP " in invite.text
    body = audio.description(profile="RTP/SAVP", crypto=f"1 {SUITE}") if secure \
        else audio.description()
    to.line.reply(invite, 200, body, fields)
    audio.agree(invite.text, SUITE if secure else None)


def hung_up(placed, line):
    """We hang up, and there it is heard."""
    placed.hang_up()
    bye = line.request("BYE", 60)
    line.reply(bye, 200)
    assert placed.ended_by() == "disconnectAll"
    return bye


def has_nothing(line, seconds=0.3):
    with pytest.raises((TimeoutError, socket.timeout)):
        line.read(lambda m: m.method in ("ACK", "BYE"), seconds)


@pytest.mark.parametrize("kind", KINDS)
def test_contact_elsewhere(service, callee, audio, kind):
    """A proxy that does not stay in between: ACK and BYE go to the Contact."""
    proxy, phone = callee(kind), callee(kind)
    placed = Placed(service, proxy)
    answer(proxy, proxy.invited(), audio, *phone.contact())
    line = line_of(phone)
    assert line.request("ACK").uri == f"sip:callee@127.0.0.1:{phone.port};transport={kind}"
    placed.until("connected")
    assert audio.echoes()
    hung_up(placed, line)
    has_nothing(proxy.line)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loose", [True, False])
def test_routes(service, callee, audio, kind, loose):
    """The first route is the next hop, a strict one is the Request-URI, too."""
    first, proxy = callee(kind), callee(kind)
    placed = Placed(service, first)
    hop = f"sip:127.0.0.1:{proxy.port};transport={kind}" + (";lr" if loose else "")
    target = f"sip:callee@unknown.invalid;transport={kind}"
    answer(first, first.invited(), audio, f"Contact: <{target}>",
           "Record-Route: <sip:far.invalid;lr>", f"Record-Route: <{hop}>")
    line = line_of(proxy)
    ack = line.request("ACK")
    placed.until("connected")
    for request in ack, hung_up(placed, line):
        assert request.uri == (target if loose else hop)
        assert re.findall("<(.*?)>", ",".join(request.all("Route"))) == (
            [hop, "sip:far.invalid;lr"] if loose else ["sip:far.invalid;lr", target])


@pytest.mark.parametrize("kind", ["tcp", "tls"])
@pytest.mark.parametrize("where", ["closed", "name", "loopback"])
def test_nobody_is_there(service, callee, audio, kind, where):
    """An address that leads nowhere, as from behind a NAT: the flow of the call is left."""
    to = callee(kind)
    placed = Placed(service, to)
    host = {"closed": f"127.0.0.1:{free_ports(1)[0]}", "name": "phone.invalid",
            "loopback": "0.0.0.0:5060"}[where]
    answer(to, to.invited(), audio, f"Contact: <sip:phone@{host};transport={kind}>")
    assert to.line.request("ACK").uri.startswith(f"sip:phone@{host}")
    placed.until("connected")
    assert audio.echoes()
    assert hung_up(placed, to.line).uri.startswith(f"sip:phone@{host}")


def test_nobody_is_there_over_udp(service, callee, audio):
    """Nothing says that a datagram was lost, but that the 2xx comes again."""
    to = callee("udp")
    placed = Placed(service, to)
    invite = to.invited()
    contact = f"Contact: <sip:phone@127.0.0.1:{free_ports(1)[0]}>"
    answer(to, invite, audio, contact)
    placed.until("connected")
    has_nothing(to.line)
    answer(to, invite, audio, contact)
    assert to.line.request("ACK").uri.startswith("sip:phone@")
    assert audio.echoes()
    hung_up(placed, to.line)


@pytest.mark.parametrize("kind", KINDS)
def test_no_contact(service, callee, audio, kind):
    """Where requests go was not said: where the INVITE went, each time that the 2xx comes."""
    to = callee(kind)
    placed = Placed(service, to)
    invite = to.invited()
    for _ in range(2):
        answer(to, invite, audio)
        ack = to.line.request("ACK")
        assert ack.uri == invite.uri
        assert ack.get("CSeq").split()[0] == invite.get("CSeq").split()[0]
    placed.until("connected")
    assert audio.echoes()
    assert hung_up(placed, to.line).uri == invite.uri


@pytest.mark.parametrize("kind", KINDS)
def test_update_moves_the_target(service, callee, audio, kind):
    """The other side names another Contact: later requests of ours go there."""
    to, moved = callee(kind), callee(kind)
    placed = Placed(service, to)
    invite = to.invited()
    take(to, invite, audio)
    placed.until("connected")
    us = re.search(r"<(.*?)>", invite.get("contact"))[1]
    to.line.send(f"UPDATE {us} SIP/2.0", [
        f"Via: SIP/2.0/{kind.upper()} 127.0.0.1:{to.port};branch={unique('z9hG4bK')}",
        f"From: {invite.get('to')};tag=phone", f"To: {invite.get('from')}",
        f"Call-ID: {invite.get('call-id')}", "CSeq: 1 UPDATE", *moved.contact()])
    assert to.line.answer("UPDATE").status == 200
    placed.hang_up()
    line = line_of(moved)
    bye = line.request("BYE")
    assert bye.uri == f"sip:callee@127.0.0.1:{moved.port};transport={kind}"
    line.reply(bye, 200)
    assert placed.ended_by() == "disconnectAll"


@pytest.mark.parametrize("kind", KINDS)
def test_caller_behind_a_nat(service, kind):
    """It calls itself by an address that nobody reaches: our BYE comes over its flow."""
    with FLOWS[kind.upper()](service) as flow:
        def request(method, **how):
            via = f"SIP/2.0/{kind.upper()} 192.168.77.5:5070;branch={unique('z9hG4bK')};rport"
            flow.send(flow.request(method, via=via, contact=False, from_tag=tag, call_id=id, **how))

        id, tag = unique("call"), unique()
        key = "1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"
        body = sdp("127.0.0.1", 9)
        if kind == "tls":
            body = body.replace(b"RTP/AVP", b"RTP/SAVP") + f"a=crypto:{key}\r\n".encode()
        request("INVITE", body=body, fields=[
            f"Contact: <sip:phone@192.168.77.5:5070;transport={kind}>",
            "Content-Type: application/sdp"])
        answer = flow.answer(id)
        assert answer.status == 200
        request("ACK", uri=answer.uri_of("Contact"), to=f";tag={answer.tag('To')}")
        api = service.local()
        call, = wait_for(lambda: [c for c in api.call("calls.enumerate")["calls"]
                                  if c["state"] == "connected"])
        api.call("calls.disconnect", callId=call["callId"])
        bye = flow.receive()
        while bye.method != "BYE":  # the 200 may come twice
            bye = flow.receive()
        assert bye.uri == f"sip:phone@192.168.77.5:5070;transport={kind}"
        flow.send(reply_to(bye))


def reply_to(request):
    lines = ["SIP/2.0 200 OK", *(f"{name}: {request.get(name)}" for name in (
        "Via", "From", "To", "Call-ID", "CSeq")), "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


@contextlib.contextmanager
def streams_on(port):
    """TCP on the port of somebody who was called over UDP."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(60)
        yield listener


def long_way(to):
    """More than fits into a datagram, by way of the callee itself."""
    return [*(f"Record-Route: <sip:proxy-{i}-with-a-long-name.invalid;lr>" for i in range(28)),
            f"Record-Route: <sip:127.0.0.1:{to.port};lr>", *to.contact()]


@pytest.mark.parametrize("streams", [True, False])
def test_too_large_for_a_datagram(service, callee, audio, streams):
    """RFC 3261 18.1.1: over TCP to the same port; as a datagram when there is none."""
    to = callee("udp")
    datagrams = to.datagrams()
    with streams_on(to.port) if streams else contextlib.nullcontext() as listener:
        placed = Placed(service, to)
        answer(to, to.invited(), audio, *long_way(to))
        line = to.line
        if streams:
            to.kind, to.socket = "tcp", listener
            line = to.take()
        ack = line.request("ACK")
        assert len(ack.all("Route")) + ack.get("Route").count(",") >= 1
        assert ack.get("Via").startswith("SIP/2.0/TCP" if streams else "SIP/2.0/UDP")
        placed.until("connected")
        hung_up(placed, line)
        datagrams.close()


def test_refreshes(service, callee, audio):
    """Our re-INVITEs after half of the session, of four calls at the same time: the ACK goes
    to the target that the 2xx brings; one that is large goes over TCP; 481 ends the call;
    after 491 it comes again (RFC 3261 12.2.1.2, 14.1, 18.1.1)."""
    kinds = {"moves": "tcp", "large": "udp", "unknown": "tcp", "glare": "tcp"}
    peers = {name: callee(kind) for name, kind in kinds.items()}
    elsewhere = callee("tcp")
    placed, targets = {}, {}
    for name, to in peers.items():
        placed[name] = Placed(service, to)
        fields = to.contact()
        if name == "large":
            # Just not too large for the ACK.
            fields += [f"Record-Route: <sip:127.0.0.1:{to.port};lr;x={'y' * 500}>"]
        answer(to, to.invited(), audio, *fields, REFRESHES)
        targets[name] = to.line.request("ACK").uri
        placed[name].until("connected")
    with streams_on(peers["large"].port) as listener:
        again = {name: to.line.read(lambda m: m.method == "INVITE", 80)
                 for name, to in peers.items() if name != "large"}
        for name, invite in again.items():
            assert invite.uri == targets[name] and "tag=phone" in invite.get("to")
        moves = peers["moves"]
        answer(moves, again["moves"], audio, *elsewhere.contact(), REFRESHES)
        line = line_of(elsewhere)
        ack = line.request("ACK")
        assert ack.uri == f"sip:callee@127.0.0.1:{elsewhere.port};transport=tcp"
        assert ack.get("CSeq").split()[0] == again["moves"].get("CSeq").split()[0]
        hung_up(placed["moves"], line)

        peers["unknown"].line.reply(again["unknown"], 481)
        peers["unknown"].line.request("ACK")
        assert placed["unknown"].ended_by() == "networkError"

        glare = peers["glare"]
        glare.line.reply(again["glare"], 491)
        glare.line.request("ACK")
        second = glare.line.request("INVITE")
        assert second.get("call-id") == again["glare"].get("call-id")
        answer(glare, second, audio, *glare.contact())
        glare.line.request("ACK")
        assert placed["glare"].status()["callState"] == "connected"
        hung_up(placed["glare"], glare.line)

        large = peers["large"]
        datagrams, large.kind, large.socket = large.line, "tcp", listener
        refresh = large.take().request("INVITE")
        assert refresh.get("Via").startswith("SIP/2.0/TCP")
        assert refresh.uri == targets["large"]
        answer(large, refresh, audio, *large.contact())
        large.line.request("ACK")
        # That is small again.
        hung_up(placed["large"], datagrams)
        datagrams.close()


def test_hang_up_on_both_sides(service, callee, audio):
    """The BYEs cross: each gets an answer, and the call has ended once."""
    to = callee("tcp")
    placed = Placed(service, to)
    invite = to.invited()
    take(to, invite, audio)
    placed.until("connected")
    placed.hang_up()
    ours = to.line.request("BYE")
    us = re.search(r"<(.*?)>", invite.get("contact"))[1]
    to.line.send(f"BYE {us} SIP/2.0", [
        f"Via: SIP/2.0/TCP 127.0.0.1:{to.port};branch={unique('z9hG4bK')}",
        f"From: {invite.get('to')};tag=phone", f"To: {invite.get('from')}",
        f"Call-ID: {invite.get('call-id')}", "CSeq: 1 BYE"])
    assert to.line.answer("BYE").status in (200, 481)
    to.line.reply(ours, 481)
    assert placed.ended_by() == "disconnectAll"


@pytest.mark.parametrize("kind", [UdpFlow, TcpFlow])
def test_cancel_comes_too_late(service, kind):
    """Even one that comes with its INVITE, in one segment: calls are answered at once, so
    it changes nothing (RFC 3261 9.2), and a BYE ends the call."""
    with kind(service) as flow:
        id, branch, tag = unique("call"), unique("z9hG4bK"), unique()
        how = {"call_id": id, "branch": branch, "from_tag": tag}
        flow.send(
            flow.request("INVITE", body=sdp("127.0.0.1", 9), **how,
                         fields=["Content-Type: application/sdp"]),
            flow.request("CANCEL", contact=False, **how))
        answers = {}
        while len(answers) < 2:
            message = flow.answer(id)
            answers[message.get("CSeq").split()[1]] = message
        assert {m: a.status for m, a in answers.items()} == {"INVITE": 200, "CANCEL": 200}
        invited = answers["INVITE"]
        within = {"uri": invited.uri_of("Contact"), "call_id": id, "from_tag": tag,
                  "to": f";tag={invited.tag('To')}"}
        flow.send(flow.request("ACK", **within))
        assert flow.ask("BYE", cseq=2, **within).status == 200
