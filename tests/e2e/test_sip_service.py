# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP services: who is answered, over what, and what becomes of connections
when services move, close and restart."""

import os
import re
import signal
import socket
import ssl

import pytest

from sealbridge_service import free_ports, process_is_gone, run, wait_for

WAIT = 60  # nothing is judged by less
ALLOWED = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "INFO"]


def modify(service, *rows):
    service.local().call("services.modify", services=list(rows), force=True)


@pytest.fixture(scope="module", autouse=True)
def all_on(service):
    modify(service, {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True})


@pytest.fixture
def back(service):
    """Leaves the services as they were."""
    yield
    modify(service, {"name": "sip_tcp", "setting": True, "port": service.sip},
           {"name": "sip_udp", "setting": True, "port": service.sip},
           {"name": "sips_tcp", "setting": True, "port": service.sips})


class Wire:
    """One connection, or one UDP socket, that speaks SIP in texts."""

    count = 0

    def __init__(self, service, kind, port=None):
        self.kind = kind
        self.to = service.host, port or (service.sips if kind == "tls" else service.sip)
        if kind == "udp":
            self.socket = socket.socket(type=socket.SOCK_DGRAM)
            self.socket.bind((service.host, 0))
            self.socket.connect(self.to)
        else:
            self.socket = socket.create_connection(self.to, WAIT)
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.socket.settimeout(WAIT)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())

    def request(self, method="OPTIONS", to_tag="", lines=()):
        Wire.count += 1
        transport = self.kind.upper()
        host, port = self.socket.getsockname()
        tag = f";tag={to_tag}" if to_tag else ""
        self.send("\r\n".join([
            f"{method} sip:device@{self.to[0]} SIP/2.0",
            f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{Wire.count}x{port};rport",
            "Max-Forwards: 70", f"From: <sip:peer@{host}>;tag=peer{Wire.count}",
            f"To: <sip:device@{self.to[0]}>{tag}", f"Call-ID: {Wire.count}.{port}@{host}",
            f"CSeq: 1 {method}", f"Contact: <sip:peer@{host}:{port};transport={self.kind}>",
            *lines, "Content-Length: 0", "", ""]))

    def answer(self):
        """Status, header fields by lower-case name, body."""
        while b"\r\n\r\n" not in self.rest:
            got = self.socket.recv(65536)
            assert got, "the connection was ended"
            self.rest += got
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields.setdefault(name.lower(), value.strip())
        length = int(fields["content-length"])
        while len(self.rest) < length:
            self.rest += self.socket.recv(65536)
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(first.split()[1]), fields, body

    def ask(self, *args, **options):
        """The answer to this request; over UDP an earlier one may come again that has had
        no ACK."""
        self.request(*args, **options)
        while True:
            status, fields, _ = self.answer()
            if fields["call-id"].startswith(f"{Wire.count}."):
                return status, fields

    def is_ended(self):
        """The other side has ended the connection."""
        self.socket.settimeout(WAIT)
        try:
            return not self.socket.recv(1)
        except (ConnectionResetError, ssl.SSLError):
            return True


KINDS = ["udp", "tcp", "tls"]


@pytest.mark.parametrize("kind", KINDS)
def test_options(service, kind):
    with Wire(service, kind) as wire:
        status, fields = wire.ask()
        assert status == 200
        assert re.split(", *", fields["allow"]) == ALLOWED
        assert "application/sdp" in fields["accept"]
        # RFC 3581: where it came from, as the device saw it.
        host, port = wire.socket.getsockname()
        assert f"rport={port}" in fields["via"] and f"received={host}" in fields["via"]
        assert "tag=" in fields["to"]
        # The same connection again.
        assert wire.ask()[0] == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method, to_tag, status", [
    ("REGISTER", "", 405), ("SUBSCRIBE", "", 405), ("MESSAGE", "", 405), ("NONSENSE", "", 405),
    ("OPTIONS", "nobody", 481), ("BYE", "", 481), ("BYE", "nobody", 481),
    ("UPDATE", "nobody", 481), ("INVITE", "nobody", 481)])
def test_what_is_refused(service, kind, method, to_tag, status):
    with Wire(service, kind) as wire:
        wire.request(method, to_tag)
        found, fields, _ = wire.answer()
        if found == 100:
            found, fields, _ = wire.answer()
        assert found == status
        if status == 405:
            assert re.split(", *", fields["allow"]) == ALLOWED
        # The connection goes on.
        assert wire.ask()[0] == 200


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_keep_alive(service, kind):
    """RFC 5626 4.4.1: two line ends are answered by one, between requests, too."""
    with Wire(service, kind) as wire:
        wire.send("\r\n\r\n")
        assert wire.socket.recv(16) == b"\r\n"
        assert wire.ask()[0] == 200
        wire.send("\r\n\r\n\r\n\r\n")
        got = b""
        while len(got) < 4:
            got += wire.socket.recv(4 - len(got))
        assert got == b"\r\n\r\n"
        assert wire.ask()[0] == 200


def test_keep_alive_datagrams_are_not_answered(service):
    with Wire(service, "udp") as wire:
        for text in "\r\n\r\n", "\0", "":
            wire.send(text)
        assert wire.ask()[0] == 200


def test_sipsak(service):
    for transport, port in ("udp", service.sip), ("tcp", service.sip):
        done = run("sipsak", "-H", service.host, "-v", "-E", transport, "-s",
                   f"sip:x@{service.host}:{port}")
        assert done.returncode == 0, done.stdout + done.stderr


def test_two_messages_in_one_piece_and_one_in_many(service):
    with Wire(service, "tls") as wire:
        sent = []
        wire.send = sent.append
        wire.request()
        wire.request()
        wire.socket.sendall("".join(sent).encode())
        assert wire.answer()[0] == 200 and wire.answer()[0] == 200
        wire.request()
        for byte in sent[2].encode():
            wire.socket.sendall(bytes([byte]))
        assert wire.answer()[0] == 200


def test_plain_text_on_the_tls_port_is_ended(service):
    with Wire(service, "tcp", service.sips) as wire:
        wire.request()
        assert wire.is_ended()
    with Wire(service, "tls") as wire:
        assert wire.ask()[0] == 200


@pytest.mark.parametrize("kind, name", [("tcp", "sip_tcp"), ("tls", "sips_tcp")])
def test_move_and_close_keep_connections(service, back, kind, name):
    port, = free_ports(1)
    with Wire(service, kind) as old:
        assert old.ask()[0] == 200
        modify(service, {"name": name, "port": port})
        assert old.ask()[0] == 200
        with pytest.raises(ConnectionRefusedError):
            Wire(service, kind)
        with Wire(service, kind, port) as new:
            assert new.ask()[0] == 200
            modify(service, {"name": name, "setting": False})
            assert new.ask()[0] == 200 and old.ask()[0] == 200
        with pytest.raises(ConnectionRefusedError):
            Wire(service, kind, port)


def test_move_and_close_of_datagrams(service, back):
    port, = free_ports(1)
    modify(service, {"name": "sip_udp", "port": port})
    with Wire(service, "udp", port) as wire:
        assert wire.ask()[0] == 200
        modify(service, {"name": "sip_udp", "setting": False})
        wire.request()
        with pytest.raises(ConnectionRefusedError):
            wire.socket.recv(65536)


def test_same_port_for_both(service, back):
    """UDP and TCP are two spaces of ports: one may take the other's number."""
    port, = free_ports(1)
    modify(service, {"name": "sip_udp", "port": port})
    modify(service, {"name": "sip_tcp", "port": port}, {"name": "sip_udp", "port": service.sip})
    with Wire(service, "tcp", port) as tcp, Wire(service, "udp", service.sip) as udp:
        assert tcp.ask()[0] == 200 and udp.ask()[0] == 200


def test_port_of_another_program(service, back):
    found = {s["name"]: s for s in service.local().call("services.query")["services"]}
    assert found["sip_udp"]["enabled"] and found["sip_udp"]["port"] == service.sip
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind((service.host, 0))
        taken = other.getsockname()[1]
        with pytest.raises(Exception, match="in use"):
            modify(service, {"name": "sip_udp", "port": taken})
    with Wire(service, "udp") as wire:
        assert wire.ask()[0] == 200

# --- limits


def from_address(service, kind, address, port=None):
    """As Wire, from another address of this machine."""
    wire = Wire.__new__(Wire)
    wire.kind, wire.rest = kind, b""
    wire.to = service.host, port or service.sip
    datagram = kind == "udp"
    wire.socket = socket.socket(type=socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
    wire.socket.bind((address, 0))
    wire.socket.settimeout(WAIT)
    wire.socket.connect(wire.to)
    return wire


def final(wire):
    status, _, _ = wire.answer()
    return status if status >= 200 else final(wire)


def test_what_is_answered_holds_no_room(service):
    """More requests than SIP_TRANSACTIONS_PEER_MAX within their 32 s, also INVITEs that were
    refused and never see an ACK."""
    with from_address(service, "tcp", "127.0.0.2") as hasty:
        for _ in range(1100):
            hasty.request("INVITE", "nobody")
            assert final(hasty) == 481
    with from_address(service, "udp", "127.0.0.6") as quick:
        for _ in range(1100):
            assert quick.ask()[0] == 200


def test_one_peer_cannot_have_all_connections(service):
    wires, refused = [], 0
    for _ in range(270):
        wire = from_address(service, "tcp", "127.0.0.4")
        wires.append(wire)
        try:
            wire.request()
            assert wire.answer()[0] == 200
        except (AssertionError, OSError):
            refused += 1
    assert refused == 270 - 256
    with from_address(service, "tcp", "127.0.0.5") as other:
        assert other.ask()[0] == 200
    # HTTPS has a limit of its own.
    assert service.wire_certificate()
    for wire in wires:
        wire.socket.close()

    def has_room():
        with from_address(service, "tcp", "127.0.0.4") as wire:
            try:
                return wire.ask()[0] == 200
            except (AssertionError, OSError):
                return False

    wait_for(has_room, what="room for the peer again")


def test_restart_and_end(make_service):
    """Connections end with the run, also when requests are under way, and the next one
    answers."""
    service = make_service()
    modify(service, {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True})
    wires = [Wire(service, kind) for kind in KINDS for _ in range(5)]
    for wire in wires:
        assert wire.ask()[0] == 200
    pid = service.pid
    os.kill(pid, signal.SIGHUP)
    for wire in wires:
        if wire.kind != "udp":
            assert wire.is_ended()
        wire.socket.close()
    wait_for(lambda: service.ctl("token", "show").returncode == 0, 60, "the next run")

    def answers(kind):
        try:
            with Wire(service, kind) as wire:
                return wire.ask()[0] == 200
        except OSError:
            return False

    for kind in KINDS:
        wait_for(lambda k=kind: answers(k), 60, f"{kind} after the restart")
    assert service.pid == pid
    service.stop()
    wait_for(lambda: process_is_gone(pid), 30, "the end")
