# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP peers over TLS, at either end, that tell what TLS came to: of the alerts
they hear they keep OpenSSL's name."""

import re
import socket
import ssl
import threading

SECONDS = 60  # nothing is judged by less
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

OPTIONS = (
    "OPTIONS sip:device@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 127.0.0.1:{port};branch=z9hG4bK{number};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:peer@127.0.0.1>;tag=t{number}\r\n"
    "To: <sip:device@127.0.0.1>\r\nCall-ID: c{number}.{port}\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")

IN_CALL = (
    "{method} {uri} SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 127.0.0.1:{port};branch=z9hG4bK{number}{method};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:peer@127.0.0.1>;tag=caller\r\n"
    "To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n"
    "Contact: <sip:peer@127.0.0.1:{contact};transport=tls>\r\n{more}"
    "Content-Length: {length}\r\n\r\n")


def field(message, name):
    return re.search(rf"(?im)^{name}:\s*(.*?)\r$", message).group(1)


class Call:
    """A call that a Caller placed; what is inside of it may go over other
    connections. contact: the port that its side can be called on."""

    def __init__(self, caller, contact=9):
        Caller.number += 1
        self.id = f"call{Caller.number}.{caller.tls.getsockname()[1]}"
        self.contact, self.cseq = contact, 0
        self.to, self.uri = "<sip:echo@127.0.0.1>", "sip:echo@127.0.0.1"
        self.send(caller, "INVITE", SDP.format(port=40000))
        answer = caller.answer()
        assert answer.startswith("SIP/2.0 200 "), answer
        self.to = field(answer, "To")
        self.uri = re.search("<(.*?)>", field(answer, "Contact")).group(1)
        self.send(caller, "ACK")

    def send(self, caller, method, body=""):
        Caller.number += 1
        self.cseq += method != "ACK"
        caller.tls.sendall((IN_CALL.format(
            method=method, uri=self.uri, port=caller.tls.getsockname()[1],
            number=Caller.number, to=self.to, call_id=self.id, cseq=self.cseq,
            contact=self.contact, length=len(body),
            more="Content-Type: application/sdp\r\n" if body else "") + body).encode())

    def ends(self, caller):
        """BYE over that connection: was the call still there?"""
        self.send(caller, "BYE")
        return caller.answer().startswith("SIP/2.0 200 ")


def alert_of(error):
    """"UNKNOWN_CA" of an SSLError, None when it is not about an alert."""
    found = re.search(r"ALERT_(\w+)", getattr(error, "reason", None) or "")
    return found and found.group(1)


def load(context, files):
    """files: certificate (chain) and key, or None."""
    if files:
        context.load_cert_chain(*files)
    return context


def client_context(files=None, version=None):
    context = load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), files)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


class Caller:
    """A connection to the device. .alert is what refused it, .tls the socket
    when nothing did."""

    number = 0

    def __init__(self, port, files=None, version=None, context=None, session=None):
        self.alert = self.tls = None
        self.said = b""
        self.context = context or client_context(files, version)
        raw = socket.create_connection(("127.0.0.1", port), SECONDS)
        try:
            self.tls = self.context.wrap_socket(raw, session=session,
                                                suppress_ragged_eofs=False)
            self.resumed = self.tls.session_reused
            # TLS 1.3: whether the other side wants us is heard behind our part.
            assert self.asks()
        except (ssl.SSLError, ConnectionError) as e:
            self.alert = alert_of(e) or repr(e)
            self.close()
            raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def asks(self):
        """OPTIONS, answered by 200?"""
        Caller.number += 1
        self.tls.sendall(OPTIONS.format(port=self.tls.getsockname()[1],
                                        number=Caller.number).encode())
        return self.answer().startswith("SIP/2.0 200 ")

    def answer(self):
        """The next final answer, with its body."""
        while True:
            while b"\r\n\r\n" not in self.said:
                got = self.tls.recv(4096)
                assert got, "the connection has ended"
                self.said += got
            head, rest = self.said.split(b"\r\n\r\n", 1)
            head = head.decode() + "\r\n"
            length = int(field(head, "Content-Length"))
            while len(rest) < length:
                rest += self.tls.recv(4096)
            self.said = rest[length:]
            if not head.startswith("SIP/2.0 1"):
                return head + rest[:length].decode()

    def ended(self):
        """Waits for the end: True when it came in good form (close_notify)."""
        try:
            while self.tls.recv(4096):
                pass
        except ssl.SSLEOFError:
            return False
        return True

    def close(self):
        if self.tls:
            self.tls.close()
        self.tls = None


class Meeting:
    """One connection that a Callee was asked for."""

    def __init__(self):
        self.alert = self.version = self.error = None
        self.accepted = False
        self.certificate = None  # DER of the caller's
        self.requests = []       # methods, in order
        self.ended = threading.Event()


class Callee:
    """A SIP server on a port of 127.0.0.1 that is busy (486) for all calls. asks: a
    CA file; a certificate is demanded of callers and verified by it."""

    def __init__(self, files, version=None, asks=None, optional=False,
                 answer="486 Busy Here", host="127.0.0.1"):
        self.context = load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), files)
        if version:
            self.context.minimum_version = self.context.maximum_version = VERSIONS[version]
        if asks:
            self.context.verify_mode = ssl.CERT_OPTIONAL if optional else ssl.CERT_REQUIRED
            self.context.load_verify_locations(asks)
        self.answer = answer
        self.meetings = []
        self.sockets = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._listen, daemon=True)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for s in self.sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        for thread in self.threads:
            thread.join(SECONDS)

    def _listen(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            raw.settimeout(SECONDS)
            self.sockets.append(raw)
            meeting = Meeting()
            self.meetings.append(meeting)
            thread = threading.Thread(target=self._meet, args=(raw, meeting), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _meet(self, raw, meeting):
        try:
            with self.context.wrap_socket(raw, server_side=True,
                                          suppress_ragged_eofs=False) as tls:
                self.sockets.append(tls)
                meeting.version = tls.version()
                meeting.certificate = tls.getpeercert(True)
                meeting.accepted = True
                self._talk(tls, meeting)
        except (ssl.SSLError, OSError) as e:
            meeting.error = e
            meeting.alert = alert_of(e)
        finally:
            meeting.ended.set()

    def _talk(self, tls, meeting):
        said = b""
        while True:
            got = tls.recv(65536)
            if not got:
                return
            said += got
            while b"\r\n\r\n" in said:
                head, said = said.split(b"\r\n\r\n", 1)
                lines = head.decode(errors="replace").split("\r\n")
                length = next((int(line.split(":")[1]) for line in lines
                               if line.lower().startswith("content-length:")), 0)
                while len(said) < length:
                    said += tls.recv(65536)
                said = said[length:]
                method = lines[0].split(" ")[0]
                meeting.requests.append(method)
                if method != "ACK":
                    tls.sendall(self._reply(method, lines))

    def _reply(self, method, lines):
        status = self.answer if method in ("INVITE", "REGISTER") else "200 OK"
        names = ("via:", "from:", "to:", "call-id:", "cseq:")
        kept = [line for line in lines[1:] if line.lower().startswith(names)]
        kept = [line + ";tag=callee" if line.lower().startswith("to:") and ";tag=" not in line
                else line for line in kept]
        return ("\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0"])
                + "\r\n\r\n").encode()
