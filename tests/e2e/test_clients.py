# SPDX-License-Identifier: GPL-3.0-or-later
"""Real TLS and HTTP clients, both versions, both kinds of keys."""

import http.client
import ssl
import xmlrpc.client

import pytest

from certificates import Authority, der, key_pem, new_key, pem
from sealbridge_service import run


@pytest.fixture(scope="module", params=["rsa2048", "ecP256"])
def keyed(request):
    """A service whose own key is of each kind; it presents a certificate of an
    authority that clients can trust."""
    from sealbridge_service import Service
    with Service(key=request.param) as service:
        service.kind = request.param
        yield service


@pytest.mark.sanitized
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client(keyed, version):
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}", version)
    assert {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}[version] in done.stdout
    assert "Cipher is (NONE)" not in done.stdout
    wanted = {"rsa2048": "RSA-PSS", "ecP256": "ECDSA"}[keyed.kind]
    assert wanted in done.stdout, done.stdout


@pytest.mark.parametrize("algorithms", ["rsa_pkcs1_sha256", "rsa_pss_rsae_sha256"])
def test_rsa_signature_forms(keyed, algorithms):
    if keyed.kind != "rsa2048":
        # an EC key cannot serve a client that knows RSA only
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}",
                   "-tls1_2", "-sigalgs", algorithms)
        assert done.returncode != 0
        return
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}",
               "-tls1_2", "-sigalgs", algorithms)
    assert "Cipher is (NONE)" not in done.stdout
    assert f"Peer signature type: {'RSA-PSS' if 'pss' in algorithms else 'RSA'}" in done.stdout


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_refused(keyed, version):
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}", version,
               "-cipher", "ALL:@SECLEVEL=0")
    assert done.returncode != 0
    assert "Cipher is (NONE)" in done.stdout


@pytest.mark.parametrize("cipher", ["NULL", "RC4", "3DES", "AES128-SHA", "AES256-GCM-SHA384",
                                    "EXPORT", "aNULL"])
def test_weak_suites_refused(keyed, cipher):
    """Nothing without forward secrecy, nothing broken."""
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}",
               "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert done.returncode != 0


def test_default_certificate(keyed, tmp_path):
    """Self-signed, with the names of the device, and good for verification."""
    from cryptography import x509
    certificate = x509.load_der_x509_certificate(keyed.wire_certificate())
    assert certificate.subject == certificate.issuer
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in [str(a) for a in names.get_values_for_type(x509.IPAddress)]
    anchor = tmp_path / "anchor.pem"
    anchor.write_text(ssl.DER_cert_to_PEM_cert(keyed.wire_certificate()))
    keyed.api(ca=anchor).call("device.query")


@pytest.mark.sanitized
@pytest.mark.parametrize("kind", ["rsa2048", "ecP256"])
def test_clients_that_verify(keyed, tmp_path, kind):
    """curl, Python and s_client, all trusting one authority."""
    authority = Authority()
    key = new_key(kind)
    certificate = authority.issue(key)
    anchor = tmp_path / "CA.pem"
    anchor.write_text(authority.pem)
    local = keyed.local()
    local.call("certificate.upload", certificate=pem(certificate), privateKey=key_pem(key))
    local.call("certificate.activate")
    assert keyed.wire_certificate() == der(certificate)

    reply = keyed.api(ca=anchor).call("device.query")
    assert reply["softwareVersion"]
    for version in "--tlsv1.2", "--tlsv1.3":
        limit = ["--tls-max", version[-3:]]
        done = run("curl", "-sS", "--cacert", anchor, version, *limit,
                   "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}",
                   f"{keyed.url}/login.html")
        assert done.stdout == "200 0", done.stderr
    done = run("curl", "-sS", "--cacert", anchor, "--http2", f"{keyed.url}/health/ready",
               "-o", "/dev/null", "-w", "%{http_code} %{http_version}")
    assert done.stdout == "200 1.1", done.stderr
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{keyed.https}",
               "-CAfile", anchor, "-verify_return_error", "-verify_ip", "127.0.0.1",
               "-servername", "another.name.example")
    assert "Verify return code: 0 (ok)" in done.stdout


def test_resumption_saves_the_token(keyed):
    """A resumed session needs no signature."""
    context = keyed.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def connect(session=None):
        connection = context.wrap_socket(
            __import__("socket").create_connection(("127.0.0.1", keyed.https)), session=session)
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while connection.recv(4096):
            pass
        return connection

    def signatures():
        return keyed.local().call("token.query")["signatures"]

    def resumes():
        before = signatures()
        assert connect(first.session).session_reused
        return signatures() == before

    first = connect()
    # A head of the audit log may be signed just then.
    assert any(resumes() for _ in range(3))
    before = signatures()
    connect()
    assert signatures() > before


def test_keep_alive_and_pipelining(keyed):
    connection = http.client.HTTPSConnection("127.0.0.1", keyed.https,
                                             context=keyed.context(), timeout=20)
    for _ in range(20):
        connection.request("GET", "/login.html")
        response = connection.getresponse()
        assert response.status == 200
        response.read()
    connection.close()
    raw = keyed.context().wrap_socket(
        __import__("socket").create_connection(("127.0.0.1", keyed.https)))
    raw.settimeout(20)
    raw.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 2 +
                b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    received = b""
    while chunk := raw.recv(65536):
        received += chunk
    assert received.count(b"HTTP/1.1 200") == 3


def test_python_xmlrpc_faults(keyed):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        keyed.api().call("no.such.method")
    assert caught.value.faultCode == 1
    assert caught.value.faultString.startswith("method not supported")


def test_ipv6(make_service):
    service = make_service(listen="::1")
    assert service.printed["web"].startswith("https://[::1]:")
    assert service.api().call("device.query")["softwareVersion"]
    done = run("curl", "-sSk", "-g", "-o", "/dev/null", "-w", "%{http_code}",
               f"https://[::1]:{service.https}/login.html")
    assert done.stdout == "200", done.stderr
    from cryptography import x509
    names = x509.load_der_x509_certificate(
        service.wire_certificate()).extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value
    assert "::1" in [str(a) for a in names.get_values_for_type(x509.IPAddress)]


def test_isolated(make_service):
    """The token in a process of its own: same service, other module."""
    service = make_service(isolated=True)
    conf = (service.state / "sealbridge.conf").read_text()
    assert "p11-kit-client.so" in conf
    maps = open(f"/proc/{service.pid}/maps").read()
    assert "libsofthsm2" not in maps
    for _ in range(20):
        service.wire_certificate()
    key = new_key("rsa2048")
    authority = Authority()
    certificate = authority.issue(key)
    service.local().call("certificate.upload", certificate=pem(certificate),
                         privateKey=key_pem(key))
    service.local().call("certificate.activate")
    assert service.wire_certificate() == der(certificate)
