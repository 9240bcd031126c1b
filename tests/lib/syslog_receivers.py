# SPDX-License-Identifier: GPL-3.0-or-later
"""Syslog servers for tests: rsyslogd, and one in Python that can behave badly."""

import re
import signal
import socket
import ssl
import subprocess
import threading

from certificates import key_pem, new_key, pem
from sealbridge_service import free_ports, wait_for

HEADER = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) "
    r"(?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<process>[!-~]{1,128}) "
    r"(?P<id>[!-~]{1,32}) ")
ELEMENT = re.compile(r'\[(?P<id>[^\s=\]"]{1,32})(?P<params>(?: [^\s=\]"]{1,32}="'
                     r'(?:[^"\\\]]|\\["\\\]])*")*)\]')
PARAM = re.compile(r' ([^\s=\]"]+)="((?:[^"\\\]]|\\["\\\]])*)"')


class Message:
    """One message of RFC 5424, read strictly."""

    def __init__(self, raw):
        assert len(raw) <= 8192
        text = raw.decode()
        head = HEADER.match(text)
        assert head, text
        self.raw, self.host, self.app = text, head["host"], head["app"]
        self.facility, self.severity = divmod(int(head["priority"]), 8)
        self.time, self.process, self.id = head["time"], head["process"], head["id"]
        self.data = {}
        at = head.end()
        while element := ELEMENT.match(text, at):
            assert element["id"] not in self.data
            self.data[element["id"]] = {
                name: re.sub(r'\\(["\\\]])', r"\1", value)
                for name, value in PARAM.findall(element["params"])}
            at = element.end()
        assert self.data, text
        assert text[at:at + 1] in ("", " "), text
        self.text = text[at + 1:]
        if not self.text.isascii():
            assert self.text[0] == "\ufeff", text
            self.text = self.text[1:]
        assert "\n" not in self.text

    @property
    def sequence(self):
        return int(self.data["meta"]["sequenceId"])


def split_frames(stream):
    """Whole messages of octet counting (RFC 5425), and what is left."""
    messages = []
    while match := re.match(rb"([1-9]\d{0,4}) ", stream):
        end = match.end() + int(match[1])
        if len(stream) < end:
            break
        messages.append(Message(stream[match.end():end]))
        stream = stream[end:]
    assert re.match(rb"([1-9]\d{0,4}( |$)|$)", stream), stream[:80]
    return messages, stream


class Identity:
    """A server's certificate and key in files."""

    def __init__(self, directory, certificate, key, *chain):
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = directory / "cert.pem", directory / "key.pem"
        self.certificate.write_text("".join(pem(c) for c in (certificate, *chain)))
        self.key.write_text(key_pem(key))


def identity(directory, authority, **how):
    key = new_key()
    return Identity(directory, authority.issue(key, **how), key)


class Receiver:
    """A TLS server in threads. behaviour: takes, never reads, closes (after the
    handshake), drops (before it), silent (no handshake), talks (without
    end, and takes), plain (text instead of
    TLS)."""

    def __init__(self, who, *, port=0, behaviour="takes", client_ca=None,
                 maximum=None, receive_bytes=None):
        self.behaviour = behaviour
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(who.certificate, who.key)
        if maximum:
            self.context.maximum_version = maximum
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=client_ca)
        self.lock = threading.Lock()
        self.connections = 0
        self.received = []
        self.clients = []      # DER of what each connection showed
        self.problems = []     # of handshakes, and of what came
        self._open = []
        self._stop = threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_bytes:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        # One that the kernel gives to nobody else, so that another can take its place.
        self.listener.bind(("127.0.0.1", port or free_ports(1)[0]))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self._open.append(raw)
            thread = threading.Thread(target=self._serve, args=(raw,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, raw):
        try:
            if self.behaviour == "plain":
                raw.sendall(b"220 this is no TLS\r\n")
                while raw.recv(4096):
                    pass
            elif self.behaviour == "silent":
                self._stop.wait()
            elif self.behaviour != "drops":
                self._serve_tls(raw)
        except (OSError, AssertionError, UnicodeDecodeError) as problem:
            with self.lock:
                self.problems.append(repr(problem))
        finally:
            raw.close()

    def _serve_tls(self, raw):
        with self.context.wrap_socket(raw, server_side=True) as tls:
            with self.lock:
                if self._stop.is_set():
                    return  # close() did not know of it
                self._open.append(tls)
                self.clients.append(tls.getpeercert(binary_form=True))
            if self.behaviour == "never reads":
                self._stop.wait()
            elif self.behaviour == "talks":
                self._talk(tls)
            elif self.behaviour == "takes":
                self._take(tls)

    def _talk(self, tls):
        """Nothing that a syslog server has to say, as fast as it goes."""
        left = b""
        tls.settimeout(0.01)
        while not self._stop.is_set():
            try:
                for _ in range(50):
                    tls.send(b"x" * 16384)
            except TimeoutError:
                pass
            try:
                messages, left = split_frames(left + tls.recv(65536))
            except TimeoutError:
                continue
            with self.lock:
                self.received += messages

    def _take(self, tls):
        left = b""
        while piece := tls.recv(65536):
            messages, left = split_frames(left + piece)
            with self.lock:
                self.received += messages

    def messages(self, **wanted):
        """Those received so far with these members."""
        with self.lock:
            return [m for m in self.received
                    if all(getattr(m, k) == v for k, v in wanted.items())]

    def wait(self, check=None, **wanted):
        """The first message with these members (and that passes check)."""
        def found():
            return [m for m in self.messages(**wanted) if not check or check(m)]
        return wait_for(found, what=f"a message with {wanted}")[0]

    def close(self):
        self._stop.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for s in self._open:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # has ended
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Rsyslogd:
    """Debian's rsyslogd as a user would set it up: clients must show a
    certificate of the authority. driver: ossl or gtls."""

    def __init__(self, directory, driver, who, client_ca):
        self.directory = directory
        self.port = free_ports(1)[0]
        (directory / "ca.pem").write_text(client_ca)
        self.out, self.log = directory / "out", directory / "log"
        # What rsyslogd has understood, member by member.
        members = ["%pri%", "%timereported:::date-rfc3339%", "%hostname%", "%app-name%",
                   "%procid%", "%msgid%", "%structured-data%", "%msg%", "%rawmsg%"]
        between = "\x1f".join(members)
        (directory / "rsyslog.conf").write_text(f"""
global(workDirectory="{directory}" maxMessageSize="16k"
	defaultNetstreamDriver="{driver}"
	defaultNetstreamDriverCAFile="{directory}/ca.pem"
	defaultNetstreamDriverCertFile="{who.certificate}"
	defaultNetstreamDriverKeyFile="{who.key}")
module(load="imtcp" streamDriver.name="{driver}" streamDriver.mode="1"
	streamDriver.authMode="x509/certvalid")
template(name="parts" type="string" string="{between}\x1e")
ruleset(name="all") {{ action(type="omfile" file="{self.out}" template="parts") }}
input(type="imtcp" port="{self.port}" address="127.0.0.1" ruleset="all")
""")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/rsyslogd", "-n", "-f", directory / "rsyslog.conf",
                 "-i", directory / "pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.listens, what="rsyslogd")

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except ConnectionRefusedError:
            return False
        return True

    def messages(self):
        """(members as rsyslogd read them, as we read them) of each."""
        if not self.out.exists():
            return []
        *whole, _ = self.out.read_bytes().split(b"\x1e")  # the last may be half a one
        parts = [w.split(b"\x1f") for w in whole]
        return [([m.decode() for m in p[:-1]], Message(p[-1])) for p in parts]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
