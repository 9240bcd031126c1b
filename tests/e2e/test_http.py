# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as strangers and enemies speak it."""

import os
import pathlib
import re
import socket
import ssl
import time
import xml.etree.ElementTree as ElementTree

import pytest

from sealbridge_service import run, wait_for

TRUSTING = ssl.create_default_context()  # once: it reads a hundred roots
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE

BODY_MAX = 4 * 1024 * 1024


def connect(service, tls=True):
    raw = socket.create_connection((service.host, service.https if tls else service.http), 30)
    return TRUSTING.wrap_socket(raw) if tls else raw


def exchange(service, *pieces, tls=True, pause=0.0, timeout=30):
    """Send the pieces, give everything that comes back until the end."""
    s = connect(service, tls)
    s.settimeout(timeout)
    received = b""
    try:
        for piece in pieces:
            s.sendall(piece)
            time.sleep(pause)
        while chunk := s.recv(65536):
            received += chunk
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        s.close()
    return received


def status(reply):
    match = re.match(rb"HTTP/1\.[01] (\d+)", reply)
    return int(match[1]) if match else None


def post(body, *headers, length=None):
    lines = [b"POST /RPC2 HTTP/1.1", b"Host: x", b"Connection: close",
             b"Content-Type: text/xml", *headers]
    if length is not False:
        lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


CALL = (b'<?xml version="1.0"?><methodCall><methodName>system.listMethods</methodName>'
        b"<params></params></methodCall>")

both = pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])


@both
@pytest.mark.sanitized
@pytest.mark.parametrize("path", ["/login.html", "/", "/health/live", "/health/ready"])
def test_pages(service, tls, path):
    url = service.url if tls else service.http_url
    done = run("curl", "-sSkL", "-D", "-", "-o", "/dev/null", url + path)
    assert " 200 " in done.stdout
    headers = done.stdout.lower()
    assert "content-security-policy:" in headers or path.startswith("/health")
    assert "unsafe-inline" not in headers
    if not path.startswith("/health"):
        assert "x-content-type-options: nosniff" in headers
    assert "civetweb" not in headers


@both
def test_system_xml(service, tls):
    """As the original serves it: to anybody, elements in the original's order."""
    url = service.url if tls else service.http_url
    done = run("curl", "-sSk", "-i", url + "/system.xml")
    head, _, body = done.stdout.partition("\n\n")
    assert " 200 " in head and "content-type: text/xml" in head.lower()
    assert "set-cookie" not in head.lower()
    system = ElementTree.fromstring(body)
    assert system.tag == "system" and [e.tag for e in system] == [
        "manufacturer", "model", "serial", "softwareVersion", "buildVersion", "hostName",
        "totalVideoPorts", "portReservationMode", "maxVideoResolution", "uptimeSeconds",
        "clusterType"]
    facts = service.api().call("device.query")
    for name in "model", "serial", "softwareVersion", "buildVersion", "hostName":
        assert system.findtext(name) == facts[name]
    assert int(system.findtext("uptimeSeconds")) >= 0
    assert system.findtext("clusterType") == "unclustered"


@pytest.mark.sanitized
@pytest.mark.parametrize("path,code", [
    ("/no/such/page", 404), ("/../../etc/passwd", None), ("/%2e%2e/%2e%2e/etc/passwd", None),
    ("/..%2f..%2fetc%2fpasswd", None), ("/login.html%00.txt", None), ("/app/", None),
    ("/RPC2/", None), ("/.git/config", None), ("/login.html/x", None),
])
def test_no_other_files(service, path, code):
    reply = exchange(service, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                     % path.encode())
    assert status(reply) in ([code] if code else range(400, 500)), reply[:200]
    assert b"root:" not in reply


@both
@pytest.mark.parametrize("method,path,codes", [
    ("GET", "/RPC2", {405}), ("PUT", "/login.html", {405, 501}), ("DELETE", "/login.html", {405, 501}),
    ("TRACE", "/login.html", {405, 501}), ("CONNECT", "127.0.0.1:22", {400, 405, 501}),
    ("PROPFIND", "/", {405, 501}), ("OPTIONS", "/login.html", {200, 204, 405, 501}),
    ("HEAD", "/login.html", {200}), ("PATCH", "/", {405, 501}), ("MKCOL", "/x", {405, 501}),
])
def test_methods(service, tls, method, path, codes):
    reply = exchange(service, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                     .encode(), tls=tls)
    assert status(reply) in codes, reply[:200]


# --- heads and bodies that are wrong, huge, slow

@pytest.mark.sanitized
@both
@pytest.mark.parametrize("head", [
    b"\r\n\r\n\r\nnonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET /login.html HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    bytes(range(256)) * 4,
])
def test_malformed(service, tls, head):
    reply = exchange(service, head, tls=tls)
    assert reply == b"" or 400 <= status(reply) <= 505, reply[:200]
    assert len(re.findall(rb"HTTP/1\.\d \d{3} ", reply)) <= 1
    assert_alive(service)


def assert_alive(service):
    assert status(exchange(service, post(CALL))) == 200


@both
def test_huge_head(service, tls):
    for head in (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n"):
        reply = exchange(service, head, tls=tls)
        assert reply == b"" or status(reply) in (400, 413, 414, 431), reply[:100]
    assert_alive(service)


@both
@pytest.mark.sanitized
def test_huge_body(service, tls):
    reply = exchange(service, post(b"", length=BODY_MAX + 1), b"x" * 65536, tls=tls)
    assert status(reply) == 413
    chunks = b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(80))
    reply = exchange(service, post(b"", b"Transfer-Encoding: chunked", length=False), chunks,
                     tls=tls)
    assert reply == b"" or status(reply) == 413
    assert_alive(service)


def test_body_at_the_limit(service):
    padding = b"<!--" + b"x" * (BODY_MAX - len(CALL) - 7) + b"-->"
    body = CALL.replace(b"<params>", padding + b"<params>")
    assert len(body) == BODY_MAX
    reply = exchange(service, post(body))
    assert status(reply) == 200 and b"device.query" in reply


def test_chunked_and_expect(service):
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (CALL[:7], CALL[7:50], CALL[50:]))
    reply = exchange(service, post(b"", b"Transfer-Encoding: chunked", length=False),
                     body + b"0\r\n\r\n")
    assert status(reply) == 200 and b"device.query" in reply
    done = run("curl", "-sSk", "-H", "Expect: 100-continue", "-H", "Content-Type: text/xml",
               "--data-binary", CALL.decode(), f"{service.url}/RPC2")
    assert "device.query" in done.stdout


def test_one_byte_at_a_time(service):
    request = post(CALL)
    s = connect(service)
    s.settimeout(30)
    for i in range(len(request)):
        s.send(request[i:i + 1])
    received = b""
    while chunk := s.recv(65536):
        received += chunk
    assert status(received) == 200


@both
def test_slow_head_is_cut_off(service, tls):
    """Ten seconds are given for a whole head."""
    started = time.monotonic()
    s = connect(service, tls)
    s.settimeout(40)
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    reply = b""
    try:
        for _ in range(60):
            s.settimeout(0.5)
            try:
                chunk = s.recv(4096)
                if not chunk:
                    break
                reply += chunk
            except (socket.timeout, ssl.SSLWantReadError, TimeoutError):
                s.sendall(b"X: y\r\n")
    except (ConnectionError, ssl.SSLError):
        pass
    assert time.monotonic() - started < 25
    assert reply == b"" or status(reply) == 408


@pytest.mark.sanitized
def test_silent_handshake_is_cut_off(service):
    with socket.create_connection(("127.0.0.1", service.https), 30) as s:
        s.settimeout(25)
        started = time.monotonic()
        try:
            while s.recv(1000):
                pass
        except ConnectionError:
            pass
        assert time.monotonic() - started < 25


@pytest.mark.sanitized
def test_garbage_instead_of_handshake(service):
    for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4096), b"\x16\x03\x01\xff\xff",
                    b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x00\x02"):
        with socket.create_connection(("127.0.0.1", service.https), 30) as s:
            s.settimeout(20)
            try:
                s.sendall(garbage)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
            except OSError as e:  # ended in the middle of it
                assert not isinstance(e, TimeoutError), garbage
    assert_alive(service)


# --- many connections

@pytest.mark.sanitized
def test_connections_of_one_peer_are_limited(service):
    """64 of one address; others, and the shell, are not hurt."""
    held = []
    try:
        for _ in range(100):
            s = socket.create_connection(("127.0.0.1", service.http), 10)
            s.settimeout(0.2)
            held.append(s)
        time.sleep(0.5)
        refused = 0
        for s in held:
            try:
                s.recv(1000)  # closed, or an answer that says why
                refused += 1
            except TimeoutError:
                pass
            except ConnectionError:
                refused += 1
        assert 30 <= refused < 100
        assert service.ctl("status").returncode == 0
        other = socket.create_connection(("127.0.0.1", service.http), 10,
                                         source_address=("127.0.0.2", 0))
        other.settimeout(20)
        other.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert status(other.recv(4096)) == 200
        other.close()
    finally:
        for s in held:
            s.close()
    wait_for(lambda: _alive(service), what="service for this address again")


def _alive(service):
    try:
        return status(exchange(service, post(CALL))) == 200
    except OSError:
        return False


def test_many_at_once(service):
    """Forty concurrent clients, each with several requests."""
    import concurrent.futures

    def client(_):
        for _ in range(5):
            assert status(exchange(service, post(CALL))) == 200
        return True

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        assert all(pool.map(client, range(40)))


# --- the back door

def loopback_port(service):
    """civetweb's own port: what the process listens on beside its services."""
    inodes = set()
    for fd in pathlib.Path(f"/proc/{service.pid}/fd").iterdir():
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(fd))
        except FileNotFoundError:
            continue
        if match:
            inodes.add(match[1])
    ports = set()
    for line in pathlib.Path(f"/proc/{service.pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            address, port = fields[1].split(":")
            assert address == "0100007F"
            ports.add(int(port, 16))
    ports -= {service.http, service.https, service.sips, service.sip}
    assert len(ports) == 1, ports
    return ports.pop()


@pytest.mark.sanitized
def test_unregistered_connection_is_refused(service):
    """A local process that finds the port behind the front gets nothing."""
    port = loopback_port(service)
    for request in (post(CALL), b"GET /login.html HTTP/1.1\r\nHost: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            s.settimeout(10)
            received = b""
            try:
                s.sendall(request)
                while chunk := s.recv(4096):
                    received += chunk
            except ConnectionError:
                pass
        assert b"methodResponse" not in received and b"<html" not in received.lower()
        assert received == b"" or 400 <= status(received) < 600
    assert_alive(service)


def test_forged_headers_do_not_matter(service):
    reply = exchange(service, post(
        CALL.replace(b"system.listMethods", b"token.query"),
        b"X-Forwarded-For: 127.0.0.1", b"X-Real-IP: ::1", b"X-Sealbridge-Peer: local"))
    assert b"<int>14</int>" in reply, reply


# --- XML that is hostile

XML_ROWS = {
    "doctype": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><methodCall/>',
    "external entity": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM '
                       b'"file:///etc/passwd">]><methodCall><methodName>&a;</methodName></methodCall>',
    "deep": b"<methodCall><methodName>device.query</methodName><params><param>" +
            b"<value><array><data>" * 100 + b"</data></array></value>" * 100 +
            b"</param></params></methodCall>",
    "many": b"<methodCall><methodName>device.query</methodName><params><param><value><array><data>"
            + b"<value><int>1</int></value>" * 10001 +
            b"</data></array></value></param></params></methodCall>",
    "empty": b"",
    "truncated": CALL[:-20],
    "nil": CALL.replace(b"<params></params>", b"<params><param><value><nil/></value></param></params>"),
    "not xml": b"\x00\x01\x02",
    "long name": CALL.replace(b"system.listMethods", b"a" * 5000),
    "broken utf-8": CALL.replace(b"system", b"sys\xff\xfetem"),
    "twice the same member": CALL.replace(
        b"<params></params>", b"<params><param><value><struct>" +
        b"<member><name>a</name><value>1</value></member>" * 2 +
        b"</struct></value></param></params>"),
}


@pytest.mark.sanitized
@pytest.mark.parametrize("row", XML_ROWS)
def test_hostile_xml(service, row):
    reply = exchange(service, post(XML_ROWS[row]))
    assert b"root:" not in reply
    assert (status(reply) == 200 and b"<fault>" in reply) or status(reply) in (400, 413), reply[:300]
    assert_alive(service)
