# SPDX-License-Identifier: GPL-3.0-or-later
"""A small DNS server on the loopback with records of a test's own."""

import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def _name(text):
    """Labels with their lengths."""
    out = b""
    for label in text.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def _string(text):
    return bytes([len(text)]) + text.encode()


def _data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "SRV":
        priority, weight, port, target = value
        return struct.pack(">HHH", priority, weight, port) + _name(target)
    order, preference, flags, service, replacement = value
    return struct.pack(">HH", order, preference) + _string(flags) + _string(service) + \
        _string("") + _name(replacement)


def _question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode().lower())
        at += 1 + message[at]
    kind, = struct.unpack(">H", message[at + 1:at + 3])
    return ".".join(labels), kind, message[12:at + 5]


class DnsServer:
    """records: {("name", "SRV"): [value, ...]}; may be changed while it runs. Names that
    have none at all do not exist. asked: (name, type) of each question."""

    def __init__(self, records=None):
        self.records = dict(records or {})
        self.asked = []
        self.silent = False
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        """The empty datagram ends the thread."""
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        while True:
            message, peer = self._socket.recvfrom(4096)
            if not message:
                return
            if not self.silent:
                self._socket.sendto(self._answer(message), peer)

    def _answer(self, message):
        name, number, question = _question(message)
        kind = next((k for k, n in TYPES.items() if n == number), str(number))
        self.asked.append((name, kind))
        records = dict(self.records)  # the test changes them meanwhile
        found = records.get((name, kind), [])
        known = any(n == name for n, _ in records)
        head = message[:2] + struct.pack(">HHHHH", 0x8580 | (0 if known else 3),
                                         1, len(found), 0, 0)
        body = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", number, 1, 1, len(data)) + data
            for data in (_data(kind, value) for value in found))
        return head + question + body
