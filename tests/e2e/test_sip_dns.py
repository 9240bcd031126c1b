# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls by names: what the DNS is asked, and one server after the other (RFC 3263)."""

import contextlib
import socket
import threading

import pytest

from dns_server import DnsServer
import sip_callee
from sealbridge_service import Service, free_ports, wait_for
from sip_callee import Placed, audio  # the fixture is used by name

HOST = "127.0.0.1"
ENDED = 120


class Callee:
    """Takes connections on a port and answers every INVITE with one status, and every
    REGISTER with another."""

    def __init__(self, status, registers=404, port=0):
        self.status = {"INVITE": status, "REGISTER": registers}
        self.seen = {"INVITE": [], "REGISTER": []}
        self._listener = socket.create_server((HOST, port))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._streams = []
        self._threads[0].start()

    @property
    def invites(self):
        return self.seen["INVITE"]

    @property
    def registers(self):
        return self.seen["REGISTER"]

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for stream in self._streams:
            with contextlib.suppress(OSError):  # the other side has ended it
                stream.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for stream in self._streams:
            stream.close()

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._streams.append(stream)
            thread = threading.Thread(target=self._serve, args=(stream,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, stream):
        rest = b""
        while True:
            head, found, behind = rest.lstrip(b"\r\n").partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            length = next((int(line.split(":")[1]) for line in lines
                           if line.lower().startswith("content-length:")), 0)
            if not found or len(behind) < length:
                got = stream.recv(65536)
                if not got:
                    return
                rest += got
                continue
            rest = behind[length:]
            method = lines[0].split()[0]
            if method in self.seen:
                self.seen[method].append(lines)
                stream.sendall(self._answer(self.status[method], lines))

    def _answer(self, status, lines):
        copied = [line + (";tag=theirs" if line.lower().startswith("to:") else "")
                  for line in lines
                  if line.lower().split(":")[0] in ("via", "from", "to", "call-id", "cseq")]
        return "\r\n".join([f"SIP/2.0 {status} So", *copied,
                            "Content-Length: 0", "", ""]).encode()


@pytest.fixture(scope="module")
def dns():
    with DnsServer() as server:
        yield server


@pytest.fixture(scope="module")
def service(dns):
    with Service(configuration=f"[sip]\ndns-servers = {dns.address}\n") as service:
        yield service


@pytest.fixture(scope="module")
def api(service):
    return service.local()


@pytest.fixture
def callees(dns):
    """Makes servers, and forgets the records of the test before."""
    made = []
    dns.records.clear()
    dns.asked.clear()
    dns.silent = False

    def make(status, **more):
        made.append(Callee(status, **more))
        return made[-1]

    yield make
    for callee in made:
        callee.close()


count = 0


def call(api, address, **more):
    """The state of the call that was placed, once it has ended."""
    global count
    count += 1
    which = {"conferenceName": "Names", "participantName": f"p{count}"}
    api.call("participant.add", **{"address": address, "participantProtocol": "sip",
                                   "participantType": "by_address",
                                   "useSIPRegistrar": False, **which, **more})
    return wait_for(lambda: ended(api, which), ENDED, f"the end of the call to {address}")


def ended(api, which):
    found = api.call("participant.status", **which)
    return found if found["callState"] == "disconnected" else None


def srv(dns, host, *rows):
    """rows: (priority, port). Each test has a host of its own: answers are kept for a
    while."""
    dns.records[f"_sip._tcp.{host}", "SRV"] = [(priority, 0, port, f"h{i}.{host}")
                                               for i, (priority, port) in enumerate(rows)]
    for i in range(len(rows)):
        dns.records[f"h{i}.{host}", "A"] = [HOST]


def test_one_server_after_the_other(api, dns, callees):
    dead, = free_ports(1)
    full, busy, never = callees(503), callees(486), callees(486)
    srv(dns, "order.test", (30, busy.port), (10, dead), (20, full.port),
        (40, never.port))
    found = call(api, "ann@order.test;transport=tcp")
    assert found["disconnectReason"] == "busy", found
    assert [len(c.invites) for c in (full, busy, never)] == [1, 1, 0]
    assert ("_sip._tcp.order.test", "SRV") in dns.asked
    # One request in several tries: the same call, each with a number of its own.
    first, second = (dict(line.split(": ", 1) for line in c.invites[0][1:] if ": " in line)
                     for c in (full, busy))
    assert first["Call-ID"] == second["Call-ID"] and first["CSeq"] != second["CSeq"]
    assert full.invites[0][0] == busy.invites[0][0]


def test_who_failed_comes_last_the_next_time(api, dns, callees):
    """Until settings change; also one that could answer now."""
    dead, = free_ports(1)
    full, busy = callees(503), callees(486)
    srv(dns, "again.test", (10, dead), (20, full.port), (30, busy.port))
    assert call(api, "ann@again.test;transport=tcp")["disconnectReason"] == "busy"
    assert (len(full.invites), len(busy.invites)) == (1, 1)
    revived = callees(486, port=dead)
    assert call(api, "ann@again.test;transport=tcp")["disconnectReason"] == "busy"
    assert [len(c.invites) for c in (revived, full, busy)] == [0, 1, 2]
    api.call("sip.modify", registrationSeconds=1800)
    assert call(api, "ann@again.test;transport=tcp")["disconnectReason"] == "busy"
    assert [len(c.invites) for c in (revived, full, busy)] == [1, 1, 2]
    api.call("sip.modify", registrationSeconds=3600)


def test_who_failed_is_still_tried(api, dns, callees):
    first, second = callees(503), callees(503)
    srv(dns, "both.test", (10, first.port), (20, second.port))
    for i in (1, 2):
        found = call(api, "ann@both.test;transport=tcp")
        assert found["disconnectReason"] == "serviceUnavailable", found
        assert (len(first.invites), len(second.invites)) == (i, i)


def test_calls_go_where_the_registration_found_somebody(api, dns, callees):
    full, pbx = callees(486, registers=503), callees(486, registers=200)
    srv(dns, "pbx.test", (10, full.port), (20, pbx.port))
    api.call("sip.modify", outboundConfiguration="useRegistrar", outboundAddress="pbx.test",
             userName="bridge", outgoingTransport="tcp")
    try:
        wait_for(lambda: api.call("sip.query")["registrationState"] == "registered",
                 what="the registration")
        assert len(full.registers) == 1
        found = call(api, "ann", useSIPRegistrar=True)
        assert found["disconnectReason"] == "busy", found
        assert (len(full.invites), len(pbx.invites)) == (0, 1)
    finally:
        api.call("sip.modify", outboundConfiguration="callDirect", outboundAddress="",
                 userName="", outgoingTransport="tls")


def test_the_setting_names_the_transport(api, dns, callees):
    """NAPTR is not asked then (RFC 3263 4.1)."""
    busy = callees(486)
    api.call("sip.modify", outgoingTransport="tcp")
    srv(dns, "naptr.test", (1, busy.port))
    assert call(api, "ann@naptr.test")["disconnectReason"] == "busy"
    assert ("naptr.test", "NAPTR") not in dns.asked
    api.call("sip.modify", outgoingTransport="tls")


def test_the_contact_names_no_transport(service, dns, callees, audio):
    """Then its domain says by NAPTR how requests within the call come there."""
    with contextlib.closing(sip_callee.Callee(service, "tcp")) as proxy, \
            contextlib.closing(sip_callee.Callee(service, "tcp")) as phone:
        dns.records["phone.test", "NAPTR"] = [(1, 1, "s", "SIP+D2X", "_sip._x.phone.test"),
                                              (2, 1, "s", "SIP+D2T", "streams.phone.test")]
        dns.records["streams.phone.test", "SRV"] = [(1, 0, phone.port, "host.phone.test")]
        dns.records["host.phone.test", "A"] = [HOST]
        placed = Placed(service, proxy)
        invite = proxy.invited()
        proxy.line.reply(invite, 200, audio.description(), ["Contact: <sip:ann@phone.test>"])
        audio.agree(invite.text)
        assert phone.take().request("ACK").uri == "sip:ann@phone.test"
        placed.until("connected")
        assert audio.echoes()
        placed.hang_up()
        bye = phone.line.request("BYE")
        assert bye.get("Via").startswith("SIP/2.0/TCP")
        phone.line.reply(bye, 200)
        assert placed.ended_by() == "disconnectAll"
        assert ("phone.test", "NAPTR") in dns.asked
        assert ("_sip._udp.phone.test", "SRV") not in dns.asked


def test_port_means_no_srv(api, dns, callees):
    busy = callees(486)
    dns.records["port.test", "A"] = [HOST]
    found = call(api, f"ann@port.test:{busy.port};transport=tcp")
    assert found["disconnectReason"] == "busy", found
    assert not [name for name, kind in dns.asked if kind in ("SRV", "NAPTR")]


def test_nobody_there(api, dns, callees):
    dead = free_ports(2)
    srv(dns, "dead.test", *((i, port) for i, port in enumerate(dead)))
    found = call(api, "ann@dead.test;transport=tcp")
    assert found["disconnectReason"] == "failedToConnectToServer", found
    assert "refused" in found["disconnectText"], found


def test_all_are_full(api, dns, callees):
    first, second = callees(503), callees(503)
    srv(dns, "full.test", (1, first.port), (2, second.port))
    found = call(api, "ann@full.test;transport=tcp")
    assert found["disconnectReason"] == "serviceUnavailable", found
    assert len(first.invites) == len(second.invites) == 1


def test_no_such_name(api, callees):
    found = call(api, "ann@nowhere.test;transport=tcp")
    assert found["disconnectReason"] == "dnsFailed", found
    assert "nowhere.test" in found["disconnectText"], found


def test_dns_that_does_not_answer(api, dns, callees):
    dns.silent = True
    found = call(api, "ann@silent.test;transport=tcp")
    assert found["disconnectReason"] == "dnsFailed", found
    # It goes on without the next call having to wait for that one.
    dns.silent = False
    assert call(api, "ann@other.test;transport=tcp")["disconnectReason"] == "dnsFailed"


def test_udp_that_is_off(api, callees):
    found = call(api, f"ann@{HOST};transport=udp")
    assert found["disconnectReason"] == "failedToConnectToServer", found
    assert "SIP over UDP is off here" in found["disconnectText"], found
