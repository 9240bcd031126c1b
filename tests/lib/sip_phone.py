# SPDX-License-Identifier: GPL-3.0-or-later
"""A telephone of our own for tests: SIP over UDP, TCP or TLS as bare texts, and
audio by RTP and SRTP. It keeps no rules by itself: the test says what is sent."""

import base64
import hashlib
import hmac
import os
import re
import socket
import ssl
import struct
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sip_wire import Reader

WAIT = 60  # nothing is judged by less
SUITES = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}


def counter(key, iv, data):
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv.to_bytes(16, "big"))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


class Srtp:
    """One direction (RFC 3711 4): AES in counter mode, HMAC-SHA1. A test's calls are
    short: the roll-over counter stays 0."""

    def __init__(self, inline, suite="AES_CM_128_HMAC_SHA1_80"):
        both = base64.b64decode(inline)
        assert len(both) == 30
        key, salt = both[:16], int.from_bytes(both[16:], "big") << 16

        def derived(label, size):
            return counter(key, salt ^ label << 64, bytes(size))

        self.key, self.auth = derived(0, 16), derived(1, 20)
        self.salt = int.from_bytes(derived(2, 14), "big") << 16
        self.tag = SUITES[suite]

    def _cipher(self, packet):
        sequence, = struct.unpack("!H", packet[2:4])
        ssrc, = struct.unpack("!I", packet[8:12])
        iv = self.salt ^ ssrc << 64 ^ sequence << 16
        return packet[:12] + counter(self.key, iv, packet[12:])

    def _sign(self, packet):
        return hmac.new(self.auth, packet + bytes(4), hashlib.sha1).digest()[:self.tag]

    def seal(self, packet):
        sealed = self._cipher(packet)
        return sealed + self._sign(sealed)

    def open(self, packet):
        sealed, tag = packet[:-self.tag], packet[-self.tag:]
        assert hmac.compare_digest(tag, self._sign(sealed)), "not made with the key"
        return self._cipher(sealed)


def udp_socket(host, port=0):
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((host, port))
    except (OSError, OverflowError):
        made.close()
        raise
    return made


class Audio:
    """A pair of directions over one UDP socket. The port above is taken as well: reports of
    the other side go there, and are not for another one's ears."""

    def __init__(self, host="127.0.0.1"):
        self.host, self.family = host, "IP6" if ":" in host else "IP4"
        self.socket, self.reports = self._pair(host)
        self.port = self.socket.getsockname()[1]
        self.to = None
        self.said = set()
        self.sequence, self.ssrc = 100, int.from_bytes(os.urandom(4), "big")
        self.key = base64.b64encode(os.urandom(30)).decode()
        self.out = self.into = None

    @staticmethod
    def _pair(host):
        while True:
            first = udp_socket(host)
            try:
                return first, udp_socket(host, first.getsockname()[1] + 1)
            except (OSError, OverflowError):
                first.close()

    def close(self):
        self.socket.close()
        self.reports.close()

    def description(self, *, profile="RTP/AVP", payload=0, direction="sendrecv", crypto="",
                    address=None):
        lines = ["v=0", f"o=phone 1 1 IN {self.family} {self.host}", "s=-",
                 f"c=IN {self.family} {address or self.host}", "t=0 0",
                 f"m=audio {self.port} {profile} {payload}", f"a={direction}"]
        if crypto:
            lines.append(f"a=crypto:{crypto} inline:{self.key}")
        return "\r\n".join(lines) + "\r\n"

    def agree(self, sdp, suite=None):
        """What the other side said; suite: then both directions are encrypted."""
        port = int(re.search(r"m=audio (\d+)", sdp)[1])
        self.to = re.search(rf"c=IN {self.family} (\S+)", sdp)[1], port
        self.out = self.into = None
        if suite:
            theirs = re.search(rf"a=crypto:\d+ {suite} inline:(\S+)", sdp)[1]
            self.out, self.into = Srtp(self.key, suite), Srtp(theirs, suite)

    def say(self, payload, kind=0):
        self.said.add(payload)
        self.sequence += 1
        packet = struct.pack("!BBHII", 0x80, kind, self.sequence, self.sequence * 160,
                             self.ssrc) + payload
        self.socket.sendto(self.out.seal(packet) if self.out else packet, self.to)

    def report(self, host="127.0.0.1"):
        """An empty receiver report (RFC 3550 6.4.2), from a socket of its own on that host."""
        with socket.socket(type=socket.SOCK_DGRAM) as control:
            control.bind((host, 0))
            control.sendto(struct.pack("!BBHI", 0x80, 201, 1, self.ssrc),
                           (self.to[0], self.to[1] + 1))

    def hear(self, seconds=WAIT):
        """The next packet's payload; None: there is none."""
        self.socket.settimeout(seconds)
        try:
            packet, sender = self.socket.recvfrom(2048)
        except socket.timeout:
            return None
        assert sender[:2] == self.to
        packet = self.into.open(packet) if self.into else packet
        assert packet[0] == 0x80
        return packet[12:]

    def echoes(self, kind=0):
        """Whether what is said comes back, unchanged. It is said again until something comes:
        what is faster than the ACK is not heard on the other side."""
        for _ in range(5):
            said = os.urandom(160)
            if self._echo(said, kind) != said:
                return False
        return True

    def _echo(self, said, kind):
        until = time.monotonic() + WAIT
        while time.monotonic() < until:
            self.say(said, kind)
            while (heard := self.hear(0.25)) is not None:
                if heard == said or heard not in self.said:
                    return heard
        return None

    def is_not_echoed(self, said, kind=0):
        """Said once, it does not come back; what was said before may still come."""
        self.say(said, kind)
        while (heard := self.hear(0.5)) is not None:
            if heard == said or heard not in self.said:
                return False
        return True


class Line:
    """One connection, or one UDP socket."""

    def __init__(self, host, port, kind, taken=None, context=None):
        self.kind, self.reader, self.waiting = kind, Reader(), []
        if taken:
            self.socket = taken
        elif kind == "udp":
            self.socket = udp_socket("::1" if ":" in host else "127.0.0.1")
            self.socket.connect((host, port))
        else:
            self.socket = socket.create_connection((host, port), WAIT)
        if kind == "tls" and not taken:
            if not context:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.address, self.port = self.socket.getsockname()[:2]
        if ":" in self.address:
            self.address = f"[{self.address}]"

    def close(self):
        self.socket.close()

    def send(self, first, fields, body=""):
        fields = [*fields, f"Content-Length: {len(body)}"]
        if body:
            fields.append("Content-Type: application/sdp")
        self.socket.sendall("\r\n".join([first, *fields, "", body]).encode())

    def _read(self, seconds):
        self.socket.settimeout(seconds)
        while not (message := self.reader.next()):
            got = self.socket.recv(65536)
            assert got, "the connection was ended"
            self.reader.data += got
        return message

    def read(self, want, seconds=WAIT):
        """The next message that want() takes; others wait for their turn."""
        for i, message in enumerate(self.waiting):
            if want(message):
                return self.waiting.pop(i)
        while True:
            message = self._read(seconds)
            if want(message):
                return message
            self.waiting.append(message)

    def request(self, method, seconds=WAIT):
        return self.read(lambda m: m.method == method, seconds)

    def answer(self, method, seconds=WAIT, of=None):
        """The next answer to such a request, but 100. of: (Call-ID, number); without, an
        earlier one may come again that has waited for its ACK."""
        return self.read(lambda m: m.status and m.status > 100 and
                         m.get("cseq").endswith(" " + method) and
                         of in (None, (m.call_id, int(m.get("cseq").split()[0]))), seconds)

    def reply(self, request, status, body="", fields=(), tag="phone"):
        copied = [f"{name}: {value}" for name in ("Via", "From", "Call-ID", "CSeq",
                                                  "Record-Route")
                  for value in request.all(name)]
        to = request.get("to")
        if "tag=" not in to:
            to += f";tag={tag}"
        self.send(f"SIP/2.0 {status} Reason", [*copied, f"To: {to}", *fields], body)


class Call:
    """One call from the telephone's side, of those that it makes."""

    count = 0

    def __init__(self, line, uri):
        Call.count += 1
        self.line, self.uri, self.target = line, uri, uri
        self.id, self.tag = f"{Call.count}-{os.getpid()}@phone", ""
        self.cseq, self.branch = 0, ""

    def send(self, method, body="", fields=(), cseq=None, line=None):
        line = line or self.line
        if cseq is None and method not in ("ACK", "CANCEL"):
            self.cseq += 1
        if method != "CANCEL":
            self.branch = f"z9hG4bK{os.urandom(6).hex()}"
        to = f"<{self.uri}>" + (f";tag={self.tag}" if self.tag and method != "CANCEL" else "")
        line.send(f"{method} {self.target} SIP/2.0", [
            f"Via: SIP/2.0/{line.kind.upper()} {line.address}:{line.port}"
            f";branch={self.branch};rport",
            f"From: \"Phone\" <sip:phone@127.0.0.1>;tag=from{self.id[:4]}",
            f"To: {to}", f"Call-ID: {self.id}",
            f"CSeq: {cseq or self.cseq} {method}", "Max-Forwards: 70",
            f"Contact: <sip:phone@{line.address}:{line.port};transport={line.kind}>",
            *fields], body)

    def ask(self, method, body="", fields=(), line=None):
        self.send(method, body, fields, line=line)
        return (line or self.line).answer(method, of=(self.id, self.cseq))

    def invite(self, body="", fields=()):
        answer = self.ask("INVITE", body, fields)
        if answer.status == 200:
            self.tag = answer.tag("To")
            self.target = answer.uri_of("Contact")
        return answer

    def ack(self, body=""):
        self.send("ACK", body, cseq=self.cseq)

    def reinvite(self, body="", fields=(), answer=""):
        got = self.ask("INVITE", body, fields)
        self.ack(answer)
        return got
