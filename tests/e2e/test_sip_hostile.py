# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that mean harm: slow, endless, many, mutated, spoofed. The service and
everybody else go on. Order is asserted and numbers are, time is not."""

import contextlib
import os
import pathlib
import random
import re
import select
import socket
import ssl

import pytest

from sealbridge_service import Service, wait_for
from sip_wire import (
    FLOWS, STREAMS, Call, Gone, TcpFlow, TlsFlow, UdpFlow, enable, sdp, unique)

pytestmark = pytest.mark.sanitized

# As src/front/front.h and src/sip/sip_calls.h have them.
FLOWS_PER_PEER = 256
CALLS_PER_PEER, CALLS = 512, 1024
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


@pytest.fixture(scope="module")
def sip():
    # What a sanitizer keeps of freed memory would look like growth.
    asan = os.environ.get("ASAN_OPTIONS", "")
    with Service(env={"ASAN_OPTIONS": f"{asan}:quarantine_size_mb=1".lstrip(":")}) as service:
        yield enable(service)
        is_sound(service)


def is_sound(service):
    assert service.is_running(), service.log()[-4000:]
    found = [line for line in service.log().splitlines() if any(s in line for s in SANITIZER)]
    assert not found, found[:5]


def is_served(service, source="127.0.0.1"):
    """Whoever comes, over each transport."""
    for kind in FLOWS.values():
        with kind(service, source) as flow:
            assert flow.ask().status == 200


# --- slow

def test_slow_handshakes(sip):
    """More than the pool has threads; each gets its end, others get in."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    slow = []
    for _ in range(60):
        s = socket.create_connection((sip.host, sip.sips), 60, ("127.0.0.2", 0))
        s.sendall(hello[:1])
        slow.append(s)
    is_served(sip)
    for s in slow:
        with contextlib.suppress(ConnectionError):  # has had its time
            s.sendall(hello[1:])
    is_served(sip)
    for s in slow:
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass
        s.close()


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("where", ["start line", "head", "body"])
def test_slow_messages(sip, kind, where):
    """Sixty that send a part, then a byte each in turn: others are answered
    meanwhile, and the slow ones when they are done."""
    flows = [STREAMS[kind](sip, "127.0.0.2") for _ in range(60)]
    rest = []
    for flow in flows:
        data = flow.request(body=b"x" * 100, fields=["Content-Type: text/plain"])
        cut = {"start line": 10, "head": data.index(b"Call-ID"),
               "body": data.index(b"\r\n\r\n") + 10}[where]
        flow.send(data[:cut])
        rest.append(data[cut:])
    is_served(sip)
    for n in range(5):
        for flow, data in zip(flows, rest):
            flow.send(data[n:n + 1])
    is_served(sip)
    for flow, data in zip(flows, rest):
        flow.send(data[5:])
        assert flow.answer().status == 200
        flow.close()


# --- much

def test_keep_alives(sip):
    """RFC 5626 3.5.1: ten thousand pings, as many pongs."""
    for kind in STREAMS.values():
        with kind(sip) as flow:
            for _ in range(100):
                flow.send(b"\r\n\r\n" * 100)
            assert flow.pongs(10000) == 10000
            assert flow.ask().status == 200
            assert flow.reader.pongs == 10000
    with UdpFlow(sip) as flow:
        for _ in range(100):
            flow.send(b"\r\n\r\n", b"\0", b"")
        assert flow.ask().status == 200


def answered_among(sip, kind, count):
    """So many requests of one flow, and one of another flow behind them: how many of the many
    were answered when that one was. Who reads slowly sees less of the order than there is."""
    busy = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    with STREAMS[kind](sip, "127.0.0.3") as many, STREAMS[kind](sip) as one:
        # A ping is the quickest way to know that the flow is read.
        out = memoryview(b"\r\n\r\n" + b"".join(
            many.request("NEWMETHOD") for _ in range(count)))
        many.socket.setblocking(False)
        got, asked, answered_at = bytearray(), False, count
        while got.count(b"SIP/2.0 405") < count:
            ready = select.select([many, one], [many] if out else [], [], 60)
            assert any(ready), "no answer"
            with contextlib.suppress(*busy):
                while out:
                    out = out[many.socket.send(out[:1 << 16]):]
            # The many first: what came before that one answer is counted.
            with contextlib.suppress(*busy):
                while piece := many.socket.recv(1 << 16):
                    got += piece
                raise AssertionError("the flow was ended")
            if got and not asked:
                one.send(one.request())
                asked = True
            elif asked and one in ready[0] and answered_at == count:
                assert one.answer().status == 200
                answered_at = got.count(b"SIP/2.0 405")
        return answered_at


@pytest.mark.parametrize("kind", STREAMS)
def test_thousands_at_once(sip, kind):
    """Another flow's request is answered before the last of thousands that were
    there before it."""
    count = 5000
    assert any(answered_among(sip, kind, count) < count for _ in range(5))


def test_peer_that_does_not_read(sip):
    """Its answers pile up to a limit; then nothing more is read of it, and it is
    ended: it alone."""
    with TcpFlow(sip, "127.0.0.3") as flow, TcpFlow(sip, "127.0.0.3") as other:
        flow.socket.settimeout(5)
        data = b"".join(flow.request("NEWMETHOD") for _ in range(200))
        with pytest.raises(OSError):  # no room any more, or ended already
            for _ in range(1000):
                flow.socket.sendall(data)
        assert other.ask().status == 200
        flow.socket.settimeout(120)
        try:
            while flow.socket.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
        assert other.ask().status == 200


# --- limits of one peer

def test_flows_of_one_peer(sip):
    """The one too many is refused; who stands goes on, who comes from elsewhere
    is served; room that is made is room."""
    flows, refused = [], 0
    for _ in range(FLOWS_PER_PEER + 20):
        try:
            flow = TcpFlow(sip, "127.0.0.4")
            assert flow.ask().status == 200
            flows.append(flow)
        except (OSError, Gone):
            refused += 1
    assert (len(flows), refused) == (FLOWS_PER_PEER, 20)
    with TlsFlow(sip) as other:
        assert other.ask().status == 200
    assert all(flow.ask().status == 200 for flow in flows)
    flows.pop().close()

    def comes_in():
        try:
            with TcpFlow(sip, "127.0.0.4") as flow:
                return flow.ask().status == 200
        except (OSError, Gone):
            return False

    wait_for(comes_in, what="room for another flow")
    for flow in flows:
        flow.close()


def test_invites_without_end(sip):
    """INVITEs and never an ACK: 486 with Retry-After from some number on; the
    same peer's other requests are answered, and so are others."""
    with UdpFlow(sip, "127.0.0.5") as flow:
        answers = {}
        for _ in range(CALLS_PER_PEER + 600):
            flow.send(flow.request("INVITE", call_id=unique("id"), body=sdp(flow.source, 5004),
                                   fields=["Content-Type: application/sdp"]))
            answer = flow.answer(method="INVITE")
            answers[answer.call_id] = answer
        statuses = [a.status for a in answers.values()]
        # Half a minute after its INVITE a call that nobody confirmed makes room.
        assert statuses.index(486) == CALLS_PER_PEER and set(statuses) == {200, 486}
        refused = [a for a in answers.values() if a.status != 200]
        assert all(a.get("Retry-After").isdigit() for a in refused)
        call_id = unique("id")
        flow.send(flow.request("OPTIONS", call_id=call_id))
        while (answer := flow.answer()).call_id != call_id:
            assert answer.call_id in answers, answer  # repeated for want of an ACK
        assert answer.status == 200
    is_served(sip, "127.0.0.6")


def fill(flow, count):
    """Calls that stand, and the answers to those that were refused."""
    calls, refused = [], []
    for _ in range(count):
        call = Call(flow, rtp_port=5004).invite()
        answer = call.answered()
        (calls if answer.status == 200 else refused).append((call, answer))
    return [call for call, _ in calls], [answer for _, answer in refused]


def test_calls_of_one_peer():
    """486 for the one too many of a peer, 503 for the one too many of all, each
    with Retry-After; what stands stands, and room that is made is room."""
    with Service() as service:
        enable(service)
        service.local().call("sip.modify", mediaTimeoutSeconds=3600)  # nobody speaks
        one, two, three = (TcpFlow(service, f"127.0.0.{n}") for n in (7, 8, 9))
        calls, refused = fill(one, CALLS_PER_PEER + 5)
        assert len(calls) == CALLS_PER_PEER
        assert [a.status for a in refused] == [486] * 5
        more, refused = fill(two, CALLS - CALLS_PER_PEER)
        assert not refused
        none, refused = fill(three, 5)
        assert not none and [a.status for a in refused] == [503] * 5
        assert all(a.get("Retry-After").isdigit() for a in refused)
        is_served(service)
        assert two.ask().status == three.ask().status == 200
        assert more.pop().bye().status == 200
        again, _ = fill(three, 1)
        for call in calls + more + again:
            assert call.bye().status == 200
        for flow in one, two, three:
            assert fill(flow, 1)[0][0].bye().status == 200
            flow.close()
        is_sound(service)


# --- where answers go

def test_answers_go_back(sip):
    """RFC 3581 4: with rport an answer goes to where the request came from,
    whatever Via says; another host that Via names gets nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim, UdpFlow(sip) as flow:
        victim.bind(("127.0.0.66", 0))
        named = "%s:%u" % victim.getsockname()
        for via in (f"SIP/2.0/UDP {named};branch={unique('z9hG4bK')};rport",
                    f"SIP/2.0/UDP {named};rport;branch={unique('z9hG4bK')};received=127.0.0.66",
                    f"SIP/2.0/UDP {named};branch={unique('z9hG4bK')};maddr=127.0.0.66;rport",
                    f"SIP/2.0/TCP {named};branch={unique('z9hG4bK')};rport"):
            for method, status in ("OPTIONS", 200), ("NEWMETHOD", 405):
                answer = flow.ask(method, via=via.replace("z9hG4bK", f"z9hG4bK{method}"))
                assert answer.status == status
                top = answer.get("Via")
                assert re.search(r";received=127\.0\.0\.1(;|$)", top), top
                assert f";rport={flow.port}" in top, top
        # Without rport it is the port of sent-by, and still the address that the
        # request came from (RFC 3261 18.2.2).
        with UdpFlow(sip) as listener:
            for method, status in ("OPTIONS", 200), ("NEWMETHOD", 405):
                flow.send(flow.request(method, via=f"SIP/2.0/UDP 127.0.0.66:{listener.port};"
                                                   f"branch={unique('z9hG4bK')}"))
                assert listener.answer().status == status
            assert flow.ask().status == 200
        victim.setblocking(False)
        with pytest.raises(BlockingIOError):
            victim.recv(65536)


def test_answers_are_no_bigger(sip):
    """Whoever writes a wrong sender's address gets no leverage."""
    room = 700  # Allow, Supported, Warning and what Via gets
    with UdpFlow(sip) as flow:
        rows = [flow.request(), flow.request("NEWMETHOD"), flow.request("BYE", cseq=2),
                flow.request(forwards=300), flow.request("OPTIONS", uri="tel:1"),
                flow.request(fields=["Require: " + ", ".join(f"x{n}" for n in range(100))]),
                flow.request(via="SIP/2.0/UDP h;branch=z9hG4bKq" + ";rport" * 20),
                flow.request("INVITE", body=b"x", fields=["Content-Type: text/plain"])]
        for row in rows:
            flow.send(row)
            before = len(flow.reader.data)
            assert before == 0
            size = len(flow.socket.recv(65536))
            assert size <= len(row) + room, (size, row)
            if row.startswith(b"INVITE"):
                break
    # Without the few lines that every request has there is no answer at all.
    with UdpFlow(sip) as flow:
        flow.send(b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n")
        assert flow.ask().status == 200


# --- at random, always the same

WORDS = [b"\0", b"\r\n", b"\r\n\r\n", b"\r\n ", b";", b",", b"\"", b"<", b">", b":", b"%00", b"=",
         b"sip:", b"@", b"[::1", b"Content-Length: 5\r\n", b"Via: x\r\n", b"a" * 3000, b"\xff\xfe",
         b"99999999999", b"-1", b"SIP/2.0", b";tag=", b"branch=", b"Route: <sip:x;lr>\r\n",
         b"Session-Expires: 90\r\n", b"Contact: *\r\n", b"To: <sip:x>;tag=1\r\n", b"\xc0\x80"]


def mutate(dice, data):
    data = bytearray(data)
    for _ in range(dice.choice([1, 1, 2, 5])):
        a, b = sorted(dice.randrange(len(data) + 1) for _ in range(2))
        what = dice.randrange(6)
        if what == 0 and data:
            data[dice.randrange(len(data))] = dice.randrange(256)
        elif what == 1:
            data[a:a] = dice.choice(WORDS)
        elif what == 2:
            del data[a:min(b, a + 40)]
        elif what == 3:
            data[a:a] = data[a:min(b, a + 200)]
        elif what == 4:
            lines = bytes(data).split(b"\r\n")
            i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            data[:] = b"\r\n".join(lines)
        else:
            del data[max(a, 1):]
        if not data:
            data += b"x"
    return bytes(data)


def seeds(flow):
    offer = ["Content-Type: application/sdp"]
    dialog = {"to": ";tag=abc", "cseq": 7}
    return [
        flow.request(), flow.request(fields=["Require: timer", "Accept: application/sdp"]),
        flow.request("INVITE", body=sdp(flow.source, 5004), fields=offer),
        flow.request("INVITE", body=sdp(flow.source, 5004), fields=[
            *offer, "Record-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>", "Supported: timer",
            "Session-Expires: 1800;refresher=uac", "Min-SE: 90"]),
        flow.request("INVITE"), flow.request("BYE", **dialog), flow.request("CANCEL"),
        flow.request("UPDATE", body=sdp(flow.source, 5004), fields=offer, **dialog),
        flow.request("ACK", **dialog), flow.request("NEWMETHOD"),
        b"SIP/2.0 200 OK\r\n" + flow.request().partition(b"\r\n")[2],
        b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"
        + flow.request("INVITE").partition(b"\r\n")[2],
    ]


class Bombardment:
    """Sends, and reads away what comes, without ever waiting for it."""

    def __init__(self, service, kind, source):
        self.make = lambda: kind(service, source)
        self.flow = self.make()

    def send(self, data):
        try:
            self.flow.send(data)
            while select.select([self.flow.socket], [], [], 0)[0]:
                if not self.flow.socket.recv(1 << 16) and self.flow.transport != "UDP":
                    raise ConnectionResetError
        except OSError:
            self.flow.close()
            self.flow = self.make()


def test_mutations(sip):
    """Three thousand messages from one seed; the service lives, and its
    sanitizers have nothing to say."""
    dice = random.Random(4475)
    targets = [Bombardment(sip, kind, f"127.0.2.{n}")
               for n in range(1, 9) for kind in (UdpFlow, TcpFlow)]
    for number in range(3000):
        target = targets[number % len(targets)]
        target.send(mutate(dice, dice.choice(seeds(target.flow))))
        if number % 500 == 0:
            is_sound(sip)
    for target in targets:
        target.flow.close()
    is_served(sip)
    is_sound(sip)


def test_mutations_in_calls(sip):
    """The same within calls that stand."""
    dice = random.Random(3261)
    for _ in range(30):
        with TcpFlow(sip, "127.0.0.10") as flow:
            call = Call(flow, rtp_port=5004).invite()
            assert call.answered().status == 200
            for _ in range(20):
                method = dice.choice(["INVITE", "UPDATE", "OPTIONS", "INFO", "ACK", "BYE", "CANCEL"])
                offers = method in ("INVITE", "UPDATE")
                data = call.within(method, body=call.body if offers else b"",
                                   fields=call.fields if offers else ())
                try:
                    flow.send(mutate(dice, data))
                except OSError:
                    break  # ended: it could not be framed
    is_served(sip)
    is_sound(sip)


@pytest.mark.parametrize("kind", STREAMS)
def test_garbage(sip, kind):
    """Bytes of no meaning at all, within TLS and without."""
    dice = random.Random(1)
    for _ in range(40):
        with STREAMS[kind](sip, "127.0.0.9") as flow:
            try:
                flow.send_pieces(dice.randbytes(dice.randrange(1, 40000)), 8000)
            except OSError:
                pass  # ended already
    is_served(sip)


def test_garbage_for_tls(sip):
    dice = random.Random(2)
    for data in [dice.randbytes(n) for n in (1, 10, 500, 20000)] + [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + dice.randbytes(3000),
            b"\x80\x2e\x01\x00\x02", b"OPTIONS sip:x SIP/2.0\r\n\r\n"]:
        with socket.create_connection((sip.host, sip.sips), 60) as s:
            got = b""
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while part := s.recv(65536):
                    got += part
            except OSError as e:  # ended in the middle of it
                assert not isinstance(e, TimeoutError), data
            # A TLS alert, a hint for browsers, or nothing.
            assert not got or got[0] == 0x15 or got.startswith(b"HTTP/1.1 400"), got[:200]
    is_served(sip)


# --- and nothing piles up

def resident(service):
    """Bytes."""
    pages = int(pathlib.Path(f"/proc/{service.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_memory(sip):
    """Twenty thousand requests over two hundred connections leave nothing behind
    that the first two thousand did not."""
    def rounds(count):
        flows = [TcpFlow(sip, f"127.0.3.{n % 4 + 1}") for n in range(200)]
        for _ in range(count):
            for flow in flows:
                flow.send(flow.request())
            for flow in flows:
                assert flow.answer().status == 200
        for flow in flows:
            flow.close()

    rounds(10)
    before = resident(sip)
    rounds(100)
    assert resident(sip) < before + 32 * 1024 * 1024
