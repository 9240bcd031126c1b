# SPDX-License-Identifier: GPL-3.0-or-later
"""One call as a script: a caller over TLS or TCP, and somebody over TCP who is
called and does as told. Media are agreed, none are sent."""

import socket
import threading
import uuid

from sip_wire import Gone, Reader, sdp

WAIT = 60  # nothing is judged by less


def description():
    return sdp("127.0.0.1", 40000, codecs=("0",))


class Connection:
    """SIP over a stream."""

    def __init__(self, stream):
        self.stream = stream
        self.stream.settimeout(WAIT)
        self.reader = Reader()

    def read(self):
        """The next message; Gone at the end."""
        while not (message := self.reader.next()):
            data = self.stream.recv(65536)
            if not data:
                raise Gone
            self.reader.data += data
        return message

    def read_final(self):
        while True:
            message = self.read()
            if message.status >= 200:
                return message

    def send(self, start, fields, body=b""):
        lines = [start, *(f"{name}: {value}" for name, value in fields)]
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        self.stream.sendall(text.encode() + body)

    def answer(self, request, status, reason, fields=(), body=b"", tag="peer"):
        to = request.get("to")
        if status > 100 and ";tag=" not in to:
            to += f";tag={tag}"
        self.send(f"SIP/2.0 {status} {reason}",
                  [*(("Via", v) for v in request.all("via")),
                   *(("Record-Route", v) for v in request.all("record-route")),
                   ("From", request.get("from")), ("To", to),
                   ("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq")),
                   *fields], body)

    def close(self):
        self.stream.close()


class Caller(Connection):
    """Calls a service over TLS (or TCP with tls=False)."""

    def __init__(self, service, user="caller", *, tls=True, client=None):
        stream = socket.create_connection(
            (service.host, service.sips if tls else service.sip), WAIT)
        self.kind = "TLS" if tls else "TCP"
        if tls:
            stream = service.context(client=client).wrap_socket(stream)
        super().__init__(stream)
        self.uri = f"sip:{user}@127.0.0.1"
        self.target = f"sip:echo@127.0.0.1:{service.sips if tls else service.sip}" \
                      f";transport={'tls' if tls else 'tcp'}"
        self.call_id = uuid.uuid4().hex
        self.to = f"<{self.target}>"
        self.cseq = 0

    def request(self, method, body=b"", cseq=None):
        if cseq is None:
            self.cseq += 1
        self.send(f"{method} {self.target} SIP/2.0",
                  [("Via", f"SIP/2.0/{self.kind} 127.0.0.1:5066;branch=z9hG4bK{uuid.uuid4().hex}"
                           ";rport"),
                   ("From", f"<{self.uri}>;tag=me"), ("To", self.to),
                   ("Call-ID", self.call_id), ("CSeq", f"{cseq or self.cseq} {method}"),
                   ("Contact", f"<{self.uri}:5066;transport={self.kind.lower()}>"),
                   ("Max-Forwards", "70")], body)

    def call(self):
        """INVITE, 200, ACK."""
        self.request("INVITE", description())
        answer = self.read_final()
        assert answer.status == 200, answer.start
        self.to = answer.get("to")
        self.target = answer.uri_of("Contact")
        self.request("ACK", cseq=self.cseq)
        return self

    def hang_up(self):
        self.request("BYE")
        while True:
            answer = self.read_final()
            if "BYE" in answer.get("cseq"):
                assert answer.status == 200, answer.start
                return

    def wait_for_bye(self):
        while True:
            message = self.read()
            if message.method == "BYE":
                self.answer(message, 200, "OK")
                return message


class Callee:
    """Somebody who is called over TCP. does: what becomes of an INVITE, "answer",
    "ring" (and nothing more), "silent", or (status, reason)."""

    def __init__(self, does="answer"):
        self.does = does
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = []  # methods
        self.requests = []
        self.invite = None
        self.connection = None
        self.connections = []
        self.threads = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"sip:callee@127.0.0.1:{self.port};transport=tcp"

    def accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(stream)
            connection.stream.settimeout(None)
            self.connections.append(connection)
            thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, connection):
        try:
            while True:
                self.handle(connection, connection.read())
        except (Gone, OSError):
            pass

    def handle(self, connection, message):
        self.connection = connection
        if message.status:
            return
        self.requests.append(message)
        self.seen.append(message.method)
        if message.method == "INVITE":
            self.invite = message
            self.take(connection, message)
        elif message.method == "CANCEL":
            connection.answer(message, 200, "OK")
            if self.does != "silent":
                connection.answer(self.invite, 487, "Request Terminated")
        elif message.method == "BYE":
            connection.answer(message, 200, "OK")

    def contact(self):
        return [("Contact", f"<sip:callee@127.0.0.1:{self.port};transport=tcp>")]

    def take(self, connection, invite):
        if self.does == "silent":
            return
        connection.answer(invite, 180, "Ringing", self.contact())
        if isinstance(self.does, tuple):
            connection.answer(invite, *self.does)
        elif self.does == "answer":
            self.accept_call()

    def accept_call(self):
        self.connection.answer(self.invite, 200, "OK", self.contact(), description())

    def hang_up(self):
        """BYE on the connection of the call."""
        invite = self.invite
        self.connection.send(
            f"BYE {invite.uri_of('Contact')} SIP/2.0",
            [("Via", f"SIP/2.0/TCP 127.0.0.1:{self.port};branch=z9hG4bK{uuid.uuid4().hex}"),
             ("From", invite.get("to") + ";tag=peer"), ("To", invite.get("from")),
             ("Call-ID", invite.get("call-id")), ("CSeq", "1 BYE"), ("Max-Forwards", "70")])

    def close(self):
        # Wakes accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(WAIT)
        for connection in self.connections:
            try:
                connection.stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        for thread in self.threads:
            thread.join(WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
