# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody whom the service calls, and calls that it places: what tests of both
sides of such a call share. The fixtures are for modules with a service of their own."""

import socket
import ssl

import pytest

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import free_ports, wait_for
from sip_phone import Audio, Line

KINDS = ["udp", "tcp", "tls"]
SUITE = "AES_CM_128_HMAC_SHA1_80"


@pytest.fixture(scope="module", autouse=True)
def listening(service):
    service.local().call("sip.modify", mediaTimeoutSeconds=3600)  # few of them speak
    service.local().call("services.modify", force=True, services=[
        {"name": "sip_tcp", "setting": True}, {"name": "sip_udp", "setting": True}])


@pytest.fixture(scope="module")
def peer_files(tmp_path_factory):
    """Certificate and key of the one who is called."""
    folder = tmp_path_factory.mktemp("peer")
    key = new_key()
    (folder / "certificate").write_text(pem(Authority().issue(key.public_key())))
    (folder / "key").write_text(key_pem(key))
    return folder / "certificate", folder / "key"


class Callee:
    """Somebody who is called: a port, and the line once it has come."""

    def __init__(self, service, kind, files=None):
        self.kind, self.files = kind, files
        if kind == "udp":
            self.socket = socket.socket(type=socket.SOCK_DGRAM)
            # The same port of TCP is nobody's either.
            self.socket.bind(("127.0.0.1", free_ports(1)[0]))
            self.socket.connect((service.host, service.sip))
        else:
            self.socket = socket.create_server(("127.0.0.1", 0))
            self.socket.settimeout(60)
        self.port = self.socket.getsockname()[1]
        self.line, self.lines = None, []

    def datagrams(self):
        """The one of UDP, which is there from the beginning."""
        self.line = self.line or Line(None, None, "udp", taken=self.socket)
        return self.line

    def invited(self):
        if self.kind == "udp":
            self.datagrams()
        elif not self.line:
            self.take()
        return self.line.request("INVITE")

    def take(self):
        """The next connection."""
        taken, _ = self.socket.accept()
        if self.kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.files)
            taken = context.wrap_socket(taken, server_side=True)
        self.line = Line(None, None, self.kind, taken=taken)
        self.lines.append(self.line)
        return self.line

    def contact(self):
        return [f"Contact: <sip:callee@127.0.0.1:{self.port};transport={self.kind}>"]

    def close(self):
        for line in self.lines:
            line.close()
        self.socket.close()


@pytest.fixture
def callee(service, peer_files):
    made = []

    def make(kind):
        made.append(Callee(service, kind, peer_files))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def audio():
    one = Audio()
    yield one
    one.close()


class Placed:
    """A call that the service places."""

    count = 0

    def __init__(self, service, to, **more):
        Placed.count += 1
        self.api = service.local()
        self.who = {"conferenceName": "Calls", "participantName": f"p{Placed.count}",
                    "participantProtocol": "sip", "participantType": "ad_hoc"}
        address = more.pop("address", None) or \
            f"callee@127.0.0.1:{to.port};transport={to.kind}"
        self.api.call("participant.add", **self.who, address=address,
                      useSIPRegistrar=False, **more)

    def status(self):
        return self.api.call("participant.status", **self.who)

    def until(self, state):
        wait_for(lambda: self.status()["callState"] == state, 70, f"the state {state}")
        return self.status()

    def ended_by(self):
        return self.until("disconnected")["disconnectReason"]

    def hang_up(self):
        self.api.call("participant.disconnect", **self.who)


def take(callee, invite, audio):
    """The call is answered; suite of its keys or None."""
    secure = " RTP/SAVP " in invite.text
    body = audio.description(profile="RTP/SAVP", crypto=f"1 {SUITE}") if secure \
        else audio.description()
    callee.line.reply(invite, 200, body, callee.contact())
    audio.agree(invite.text, SUITE if secure else None)
    ack = callee.line.request("ACK")
    assert ack.start.startswith("ACK sip:callee@127.0.0.1:")
    return secure
