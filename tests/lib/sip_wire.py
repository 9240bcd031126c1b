# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP by hand: bytes over UDP, TCP and TLS, in any pieces, and what comes back.

No SIP library: tests that send what no library would need none, and what the
service sends is read as strictly as RFC 3261 writes it."""

import itertools
import os
import re
import select
import socket
import ssl
import time

SECONDS = 60  # until an answer must be there; nothing is judged by less

_numbers = itertools.count(1)
_run = os.urandom(4).hex()


def unique(prefix=""):
    """Never the same in two runs, either."""
    return f"{prefix}{_run}{next(_numbers)}"


class Gone(Exception):
    """The peer has ended the connection."""


class Message:
    """What came: a request when method is set, else an answer."""

    def __init__(self, head, body):
        lines = head.decode("utf-8").split("\r\n")
        self.start, self.body = lines[0], body
        self.status, self.method = 0, None
        if answer := re.fullmatch(r"SIP/2\.0 (\d{3}) (.*)", self.start):
            self.status, self.reason = int(answer[1]), answer[2]
        else:
            self.method, self.uri, version = self.start.split(" ")
            assert version == "SIP/2.0", self.start
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[A-Za-z-]+", name), f"no field: {line!r}"
            self.fields.append((name, value.strip()))

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name):
        """The one value of a field; "" without."""
        values = self.all(name)
        assert len(values) <= 1 or name.lower() in ("via", "route", "record-route"), name
        return values[0] if values else ""

    def tag(self, name):
        found = re.search(r";\s*tag=([^;\s>]+)", self.get(name).rpartition(">")[2])
        return found[1] if found else ""

    def uri_of(self, name):
        """What stands in <>, or the whole value without its parameters."""
        found = re.search(r"<([^>]*)>", self.get(name))
        return found[1] if found else self.get(name).partition(";")[0]

    @property
    def text(self):
        """The body, where it is text."""
        return self.body.decode()

    @property
    def call_id(self):
        return self.get("Call-ID")

    def __repr__(self):
        return f"<{self.start} {self.call_id}>"


class Reader:
    """Messages out of a stream, by Content-Length and nothing else."""

    def __init__(self):
        self.data = bytearray()
        self.pongs = 0

    def next(self):
        """A message, or None: more is needed."""
        while self.data[:2] == b"\r\n":
            self.pongs += 1
            del self.data[:2]
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.data[:end])
        length = re.findall(rb"(?mi)^content-length: *(\d+)\r?$", head)
        assert len(length) == 1, head
        total = end + 4 + int(length[0])
        if len(self.data) < total:
            return None
        body = bytes(self.data[end + 4:total])
        del self.data[:total]
        return Message(head, body)


class Flow:
    """One way to the service, and how to say there who we are."""

    scheme, secure = "sip", False

    def __init__(self, service, source="127.0.0.1"):
        self.service, self.source = service, source
        self.reader = Reader()
        self.kept = []  # came while another was waited for
        self.seen = set()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.close()

    def close(self):
        self.socket.close()

    def fileno(self):
        return self.socket.fileno()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    @property
    def here(self):
        return f"{self.source}:{self.port}"

    @property
    def there(self):
        port = self.service.sips if self.secure else self.service.sip
        return f"{self.service.authority}:{port}"

    @property
    def uri(self):
        return f"sip:echo@{self.there}" + {
            "UDP": "", "TCP": ";transport=tcp", "TLS": ";transport=tls"}[self.transport]

    # --- out

    def send(self, *messages):
        """All in one write."""
        self.socket.sendall(b"".join(map(bytes, messages)))

    def send_pieces(self, data, size):
        for at in range(0, len(data), size):
            self.socket.sendall(data[at:at + size])

    def via(self, branch=None):
        return (f"SIP/2.0/{self.transport} {self.here};"
                f"branch={branch or unique('z9hG4bK')};rport")

    def request(self, method="OPTIONS", *, uri=None, fields=(), body=b"", call_id=None,
                cseq=1, branch=None, from_tag="f", to="", to_uri=None, contact=True,
                forwards=70, via=None, length=True):
        """An ordinary request. fields: more lines. to: what follows the address of To."""
        uri = uri or self.uri
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: {via or self.via(branch)}",
            f"From: <sip:caller@{self.here}>;tag={from_tag}",
            f"To: <{to_uri or self.uri}>{to}",
            f"Call-ID: {call_id or unique('id')}",
            f"CSeq: {cseq} {method}",
            f"Max-Forwards: {forwards}",
        ]
        if contact:
            lines.append(f"Contact: <{self.contact}>")
        lines += fields
        if length:
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    @property
    def contact(self):
        return f"sip:caller@{self.here}" + {
            "UDP": "", "TCP": ";transport=tcp", "TLS": ";transport=tls"}[self.transport]

    # --- in

    def _wait(self, until):
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.socket], [], [], left)[0]:
            raise AssertionError(f"no answer over {self.transport} within {SECONDS} s")

    def receive(self, seconds=SECONDS):
        """The next message; Gone at the end of the stream."""
        if self.kept:
            return self.kept.pop(0)
        until = time.monotonic() + seconds
        while True:
            message = self.reader.next()
            if message:
                return message
            self._fill(until)

    def answer(self, call_id=None, method=None):
        """The next final answer; call_id, method: others are not expected."""
        while True:
            message = self.receive()
            if message.status >= 200 and not self._is_copy(message):
                assert call_id in (None, message.call_id), message
                assert method in (None, message.get("CSeq").split()[1]), message
                return message

    def ask(self, method="OPTIONS", **how):
        """Sends a request; the answer to it has to be the next final one."""
        call_id = how.setdefault("call_id", unique("id"))
        self.send(self.request(method, **how))
        return self.answer(call_id, method)

    def _is_copy(self, message):
        """An answer may come again before our ACK has arrived: each one over UDP, that which
        takes a call over the others, too (RFC 3261 13.3.1.4)."""
        if self.transport != "UDP" and not self._takes_a_call(message):
            return False
        key = (message.status, message.get("Via"), message.get("CSeq"), message.call_id)
        copy = key in self.seen
        self.seen.add(key)
        return copy

    @staticmethod
    def _takes_a_call(message):
        return 200 <= message.status < 300 and message.get("CSeq").endswith("INVITE")

    def pongs(self, count):
        """Waits until so many CRLF have come since the beginning."""
        until = time.monotonic() + SECONDS
        while self.reader.pongs < count:
            message = self.reader.next()
            if message:
                self.kept.append(message)
            elif self.reader.pongs < count:
                self._fill(until)
        return self.reader.pongs

    def is_ended(self):
        """Reads on until the service has ended the connection; what it sent
        before is kept."""
        try:
            while True:
                message = self.reader.next()
                if message:
                    self.kept.append(message)
                else:
                    self._fill(time.monotonic() + SECONDS)
        except Gone:
            return True


class UdpFlow(Flow):
    transport = "UDP"

    def __init__(self, service, source="127.0.0.1", port=0):
        super().__init__(service, source)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((source, port))
        self.socket.connect((service.host, service.sip))

    def send(self, *messages):
        """A datagram each."""
        for message in messages:
            self.socket.sendall(bytes(message))

    def _fill(self, until):
        self._wait(until)
        datagram = self.socket.recv(65536)
        self.reader.data += datagram


class TcpFlow(Flow):
    transport = "TCP"

    def __init__(self, service, source="127.0.0.1"):
        super().__init__(service, source)
        self.socket = socket.create_connection(
            (service.host, service.sips if self.secure else service.sip), SECONDS,
            source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _fill(self, until):
        self._wait(until)
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as gone:
            raise Gone from gone
        if not data:
            raise Gone
        self.reader.data += data


class TlsFlow(TcpFlow):
    transport, secure = "TLS", True

    def __init__(self, service, source="127.0.0.1", context=None):
        super().__init__(service, source)
        try:
            self.socket = (context or service.context()).wrap_socket(
                self.socket, server_hostname=service.host)
        except OSError:
            self.socket.close()
            raise

    def _fill(self, until):
        if not self.socket.pending():
            self._wait(until)
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError) as gone:
            raise Gone from gone
        except TimeoutError as late:  # something came, but no data
            raise AssertionError("no answer over TLS") from late
        if not data:
            raise Gone
        self.reader.data += data


FLOWS = {"UDP": UdpFlow, "TCP": TcpFlow, "TLS": TlsFlow}
STREAMS = {"TCP": TcpFlow, "TLS": TlsFlow}


def enable(service):
    """Plain SIP is off until somebody wants it."""
    service.local().call("services.modify", services=[
        {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True}])
    return service


def sdp(address, port, *, codecs=("0", "8", "101"), direction="sendrecv", more=()):
    """An offer of one audio stream."""
    names = {"0": "PCMU/8000", "8": "PCMA/8000", "101": "telephone-event/8000"}
    lines = [
        "v=0", f"o=caller 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(codecs)}",
        *(f"a=rtpmap:{c} {names[c]}" for c in codecs if c in names),
        f"a={direction}", *more,
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


class Call:
    """A call that we place over a flow, with the few states that tests need."""

    def __init__(self, flow, *, rtp_port=9, body=None, fields=()):
        self.flow, self.id, self.cseq = flow, unique("call"), 1
        self.body = sdp(flow.source, rtp_port) if body is None else body
        self.fields = [*fields, "Content-Type: application/sdp"] if self.body else [*fields]
        self.established = None

    def invite(self):
        self.flow.send(self.flow.request(
            "INVITE", call_id=self.id, cseq=self.cseq, body=self.body, fields=self.fields,
            branch=self._branch()))
        return self

    def _branch(self):
        self.branch = unique("z9hG4bK")
        return self.branch

    def answered(self):
        """Its final answer; the ACK goes out as RFC 3261 wants it."""
        answer = self.flow.answer(self.id, "INVITE")
        if answer.status < 300:
            self.established = self.established or answer
            self.flow.send(self.within("ACK", cseq=self.cseq))
        else:
            self.flow.send(self.flow.request(
                "ACK", call_id=self.id, cseq=self.cseq, branch=self.branch,
                to=self._to(answer)))
        return answer

    @staticmethod
    def _to(answer):
        return f";tag={answer.tag('To')}"

    def within(self, method, **how):
        """A request in the dialog."""
        if "cseq" not in how:
            self.cseq += 1
        how = {"cseq": self.cseq, "branch": self._branch(), **how}
        return self.flow.request(
            method, uri=self.established.uri_of("Contact"), call_id=self.id,
            to=self._to(self.established), **how)

    def ask(self, method, **how):
        self.flow.send(self.within(method, **how))
        return self.flow.answer(self.id, method)

    def reinvite(self):
        self.flow.send(self.within("INVITE", body=self.body, fields=self.fields))
        return self.answered()

    def bye(self):
        return self.ask("BYE")
