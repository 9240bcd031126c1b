# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS connections with and without a client certificate that is trusted: what
real TLS clients see."""

import datetime
import http.client
import socket
import ssl

import pytest

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import run, wait_for

DAY = datetime.timedelta(days=1)


class Client:
    """Files for a client's certificate, its key and the authorities between."""

    def __init__(self, folder, name, issuer, chain=(), kind="ecP256", **dates):
        own = new_key(kind)
        self.certificate = folder / f"{name}.pem"
        self.chain = folder / f"{name}-chain.pem"
        self.key = folder / f"{name}.key"
        leaf = issuer.issue(own, name, names=(), **dates)
        self.certificate.write_text(pem(leaf))
        self.chain.write_text("".join(a.pem for a in chain))
        self.key.write_text(key_pem(own))

    def openssl(self):
        return ["-cert", self.certificate, "-key", self.key, "-cert_chain", self.chain] \
            if self.chain.stat().st_size else ["-cert", self.certificate, "-key", self.key]


@pytest.fixture(scope="module", params=["ecP256", "rsa2048"])
def world(request, tmp_path_factory):
    """A service with a key of each kind, and clients."""
    from sealbridge_service import Service
    folder = tmp_path_factory.mktemp("clients")
    root, stranger = Authority("Client root"), Authority("Stranger")
    between = Authority("Client issuing", parent=root, kind="rsa2048")
    now = datetime.datetime.utcnow()
    with Service(key=request.param) as service:
        service.root, service.stranger = root, stranger
        service.clients = {
            "trusted": Client(folder, "alice", root),
            "rsa": Client(folder, "bob", root, kind="rsa2048"),
            "chain": Client(folder, "carol", between, [between]),
            "untrusted": Client(folder, "mallory", stranger),
            "expired": Client(folder, "late", root, not_before=now - 2 * DAY,
                              not_after=now - DAY),
            "early": Client(folder, "early", root, not_before=now + DAY),
        }
        yield service


@pytest.fixture
def trusting(world):
    local = world.local()
    local.call("trustStore.upload", trustStore="https", certificates=world.root.pem)
    local.call("verification.configure", clientCertificate="verify")
    return world


VERSIONS = {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}


def s_client(service, version, client=None):
    """One request by openssl; what it says."""
    more = service.clients[client].openssl() if client else []
    done = run("openssl", "s_client", "-connect", f"{service.host}:{service.https}", version,
               "-ign_eof", *more,
               input="GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return done.stdout + done.stderr


@pytest.mark.sanitized
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("client", ["trusted", "rsa", "chain"])
def test_trusted(trusting, version, client):
    said = s_client(trusting, version, client)
    assert f"New, {VERSIONS[version]}" in said
    assert "HTTP/1.1 " in said, said
    assert "New Session Ticket" not in said  # each connection shows its certificate


@pytest.mark.sanitized
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("client, alert", [
    (None, {"-tls1_2": "handshake failure", "-tls1_3": "certificate required"}),
    ("untrusted", "unknown ca"),
    ("expired", "certificate expired"),
    ("early", "certificate expired"),
])
def test_refused(trusting, version, client, alert):
    said = s_client(trusting, version, client)
    words = alert if isinstance(alert, str) else alert[version]
    assert f"alert {words}" in said, said
    assert "HTTP/1.1" not in said


def test_curl(trusting, tmp_path):
    own = trusting.clients["trusted"]
    with_it = run("curl", "-sk", "--cert", own.certificate, "--key", own.key,
                  "-o", "/dev/null", "-w", "%{http_code}", trusting.url + "/")
    assert with_it.stdout == "200", with_it.stderr
    without = run("curl", "-sk", trusting.url + "/")
    assert without.returncode != 0
    # plain HTTP is not concerned, nor is the control socket
    plain = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", trusting.http_url + "/")
    assert plain.stdout == "200"


def test_trust_changes_act_at_once(trusting):
    assert "HTTP/1.1 " in s_client(trusting, "-tls1_3", "trusted")
    local = trusting.local()
    local.call("trustStore.upload", trustStore="https", certificates=trusting.stranger.pem)
    assert "alert unknown ca" in s_client(trusting, "-tls1_3", "trusted")
    assert "HTTP/1.1 " in s_client(trusting, "-tls1_3", "untrusted")
    local.call("trustStore.delete", trustStore="https")  # trusts nobody
    assert "alert unknown ca" in s_client(trusting, "-tls1_3", "untrusted")
    assert "alert unknown ca" in s_client(trusting, "-tls1_3", "trusted")


def exchange(service, session=None, version=ssl.TLSVersion.TLSv1_3):
    """One request without a certificate: the session it left, whether it was
    resumed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if session:
        context = session[0]  # a session is of use to its own context only
    with socket.create_connection((service.host, service.https), 20) as raw:
        with context.wrap_socket(raw, session=session and session[1]) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert tls.recv(12) == b"HTTP/1.1 200"
            while tls.recv(4096):
                pass
            return (context, tls.session), tls.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_mode_changes_act_at_once(trusting, version):
    """New connections need a certificate, a ticket from before is no way around
    that nor ever good again; connections that stand go on."""
    local = trusting.local()
    local.call("verification.configure", clientCertificate="notRequired")
    first, _ = exchange(trusting, version=version)
    assert exchange(trusting, first)[1]
    stands = http.client.HTTPSConnection(trusting.host, trusting.https, timeout=20,
                                         context=trusting.context())
    stands.request("GET", "/")
    assert stands.getresponse().read()
    local.call("verification.configure", clientCertificate="required")
    for session in (None, first):
        with pytest.raises(OSError):
            exchange(trusting, session, version)
    stands.request("GET", "/")
    assert stands.getresponse().status == 200
    stands.close()
    local.call("verification.configure", clientCertificate="notRequired")
    assert not exchange(trusting, first)[1]


def test_minimum_version_acts_at_once(trusting):
    local = trusting.local()
    local.call("security.modify", minimumVersion="1.3")
    try:
        assert "alert protocol version" in s_client(trusting, "-tls1_2", "trusted")
        assert "HTTP/1.1 " in s_client(trusting, "-tls1_3", "trusted")
    finally:
        local.call("security.modify", minimumVersion="1.2")
    assert "HTTP/1.1 " in s_client(trusting, "-tls1_2", "trusted")


def test_mode_survives_a_restart(trusting):
    trusting.stop()
    trusting.start_bare()
    wait_for(lambda: "HTTP/1.1 " in s_client(trusting, "-tls1_3", "trusted"), 60, "HTTPS")
    assert "alert certificate required" in s_client(trusting, "-tls1_3")


def test_refusals_are_recorded(trusting):
    """The reason stands in the log and the audit trail; who tries often fills
    neither."""
    own = trusting.clients["untrusted"]
    for _ in range(40):
        done = run("curl", "-sk", "--cert", own.certificate, "--key", own.key, trusting.url)
        assert done.returncode != 0
    text = trusting.ctl("--json", "call", "auditlog.enumerate", "index=0", "numEvents=200").stdout
    assert "CN=Stranger" in text
    assert 1 <= text.count('"certificateUntrusted"') < 40, text
    assert "certificate of the peer refused" in trusting.log()
