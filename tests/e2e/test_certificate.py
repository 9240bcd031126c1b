# SPDX-License-Identifier: GPL-3.0-or-later
"""The local certificate: replaced, activated, deleted, refused."""

import datetime
import hashlib
import http.client
import random
import re
import threading
import time
import xmlrpc.client

import pytest

from certificates import Authority, DAY, der, fingerprint, key_pem, new_key, pem
from sealbridge_service import run, wait_for


def upload(api, certificate, key=None, password=None, *, more=""):
    members = {"certificate": pem(certificate) + more}
    if key is not None:
        members["privateKey"] = key if isinstance(key, str) else key_pem(key)
    if password is not None:
        members["privateKeyPassword"] = password
    return api.call("certificate.upload", **members)


def stored(api):
    return api.call("certificate.query")["local"]["sha256Fingerprint"].replace(":", "").lower()


def back_to_default(service):
    api = service.local()
    query = api.call("certificate.query")
    if query["local"]["source"] == "custom":
        api.call("certificate.delete")
    if api.call("certificate.query")["restartRequired"]:
        api.call("certificate.activate")


@pytest.fixture
def clean(service):
    """The service of this file, with the device's own certificate."""
    back_to_default(service)
    yield service
    back_to_default(service)


@pytest.fixture(scope="module")
def authority():
    return Authority()


# --- the article's steps, with OpenSSL itself

def openssl(folder, *args, answers=None):
    done = run("openssl", *args, cwd=folder, input=answers or "")
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_pair_as_the_article_says(folder):
    """openssl genrsa -des3, req, an authority of one's own, x509 -req."""
    device = "\n".join(["GB", "Berkshire", "Reading", "Example", "Video", "127.0.0.1",
                        "", "", ""]) + "\n"
    own = device.replace("127.0.0.1", "Example CA")
    openssl(folder, "genrsa", "-des3", "-passout", "pass:openSesame", "-out", "MCU.key", "2048")
    openssl(folder, "req", "-new", "-key", "MCU.key", "-passin", "pass:openSesame",
            "-out", "MCU.csr", answers=device)
    openssl(folder, "genrsa", "-des3", "-passout", "pass:caSecret", "-out", "CA.key", "2048")
    openssl(folder, "req", "-new", "-x509", "-key", "CA.key", "-passin", "pass:caSecret",
            "-out", "CA.cer", "-days", "365", answers=own)
    openssl(folder, "x509", "-req", "-in", "MCU.csr", "-CA", "CA.cer", "-CAkey", "CA.key",
            "-passin", "pass:caSecret", "-set_serial", "01", "-out", "MCU.cer")


@pytest.mark.sanitized
def test_article_by_api(clean, tmp_path):
    make_pair_as_the_article_says(tmp_path)
    api = clean.api()
    before = clean.wire_fingerprint()

    upload_text = {
        "certificate": (tmp_path / "MCU.cer").read_text(),
        "privateKey": (tmp_path / "MCU.key").read_text(),
        "privateKeyPassword": "openSesame",
    }
    api.call("certificate.upload", **upload_text)

    # the page shows the new one at once, the wire keeps the old one
    query = api.call("certificate.query")
    assert query["local"]["subject"]["cn"] == "127.0.0.1"
    assert query["local"]["subject"]["ou"] == "Video"
    assert query["local"]["issuer"]["cn"] == "Example CA"
    assert query["local"]["keyStatus"] == "matches"
    assert query["local"]["source"] == "custom"
    assert query["restartRequired"] is True
    assert clean.wire_fingerprint() == before

    # restart: the same process, the new certificate
    pid = clean.pid
    api.call("device.restart")
    wait_for(lambda: _fingerprint_or_none(clean) not in (None, before), 60,
             "the new certificate on the wire")
    assert clean.is_running() and clean.pid == pid
    assert clean.local().call("certificate.query")["restartRequired"] is False
    reasons = [row["reason"] for row in
               clean.local().call("device.restartlog.query")["log"]]
    assert "User requested reboot from API" in reasons

    # a client that trusts the authority is satisfied
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{clean.https}",
               "-CAfile", tmp_path / "CA.cer", "-verify_return_error", "-verify_ip", "127.0.0.1")
    # (the article's certificate has the address in its common name only)
    assert "Example CA" in done.stdout
    chain = run("openssl", "s_client", "-connect", f"127.0.0.1:{clean.https}",
                "-CAfile", tmp_path / "CA.cer", "-verify_return_error")
    assert "Verify return code: 0 (ok)" in chain.stdout


def _fingerprint_or_none(service):
    try:
        return service.wire_fingerprint()
    except OSError:
        return None


def test_article_by_command_line(clean, tmp_path):
    make_pair_as_the_article_says(tmp_path)
    secret = tmp_path / "password"
    secret.write_text("openSesame\n")
    secret.chmod(0o600)
    before = clean.wire_fingerprint()
    done = clean.ctl("certificate", "upload", tmp_path / "MCU.cer", tmp_path / "MCU.key",
                     "--password-file", secret)
    assert done.returncode == 0, done.stderr
    shown = clean.ctl("certificate", "show")
    assert "Example CA" in shown.stdout
    assert "Restart required" in shown.stdout
    assert clean.wire_fingerprint() == before
    done = clean.ctl("certificate", "activate")
    assert done.returncode == 0, done.stderr
    assert clean.wire_fingerprint() != before
    done = clean.ctl("certificate", "delete")
    assert done.returncode == 0, done.stderr
    done = clean.ctl("certificate", "activate")
    assert done.returncode == 0, done.stderr
    assert clean.wire_fingerprint() == before


# --- key files of every form

FORMS = [
    ("rsa2048", "traditional", None), ("rsa2048", "traditional", "pass word"),
    ("rsa2048", "pkcs8", None), ("rsa2048", "pkcs8", "pass word"),
    ("rsa3072", "pkcs8", None), ("rsa4096", "pkcs8", None),
    ("ecP256", "traditional", None), ("ecP256", "traditional", "pass word"),
    ("ecP256", "pkcs8", None), ("ecP256", "pkcs8", "pass word"),
    ("ecP384", "traditional", None), ("ecP384", "pkcs8", "pass word"),
]


@pytest.mark.sanitized
@pytest.mark.parametrize("kind,form,password", FORMS)
def test_key_forms(clean, authority, kind, form, password):
    key = new_key(kind)
    certificate = authority.issue(key)
    api = clean.local()
    upload(api, certificate, key_pem(key, form, password), password)
    assert api.call("certificate.query")["local"]["keyStatus"] == "matches"
    api.call("certificate.activate")
    assert clean.wire_certificate() == der(certificate)


def test_sec1_with_parameters_block(clean, authority, tmp_path):
    """openssl ecparam -genkey writes EC PARAMETERS before the key."""
    done = run("openssl", "ecparam", "-name", "prime256v1", "-genkey")
    assert "BEGIN EC PARAMETERS" in done.stdout
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    key = load_pem_private_key(done.stdout.encode(), None)
    upload(clean.local(), authority.issue(key), done.stdout)
    assert clean.local().call("certificate.query")["local"]["keyStatus"] == "matches"


# --- chains

def test_chain_in_any_order_with_foreigners(clean):
    root = Authority("Root CA")
    middle = Authority("Middle CA", root)
    foreign = Authority("Foreign CA")
    key = new_key()
    leaf = middle.issue(key)
    bundle = foreign.pem + root.pem + pem(leaf) + middle.pem
    api = clean.local()
    reply = api.call("certificate.upload", certificate=bundle, privateKey=key_pem(key))
    assert reply["status"].lower() == "operation successful"
    assert any("Foreign CA" in warning for warning in reply.get("warnings", [])), reply
    query = api.call("certificate.query")["local"]
    assert query["sha256Fingerprint"].replace(":", "").lower() == fingerprint(leaf)
    names = [c["subject"]["cn"] for c in query["chain"]]
    assert "Middle CA" in names and "Foreign CA" not in names
    api.call("certificate.activate")
    # a client that has only the root verifies the leaf with what was sent
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{clean.https}", "-showcerts")
    assert done.stdout.count("BEGIN CERTIFICATE") >= 2
    assert "Foreign CA" not in done.stdout


# --- refusals: each its own fault, and nothing changes

def expired(authority, key):
    now = datetime.datetime.utcnow()
    return authority.issue(key, not_before=now - 30 * DAY, not_after=now - DAY)


def refusal_rows():
    ca = Authority()
    key, other = new_key(), new_key()
    weak, wrong_type, big = new_key("rsa1024"), new_key("ed25519"), new_key("ecP521")
    good = pem(ca.issue(key))
    lines = key_pem(key, "traditional").splitlines()
    return {
        "no certificate": ({"certificate": "", "privateKey": key_pem(key)}, 1001, "certificate"),
        "not PEM": ({"certificate": "hello", "privateKey": key_pem(key)}, 1001, "certificate"),
        "damaged certificate": (
            {"certificate": good.replace(good.splitlines()[3], "!" * 64),
             "privateKey": key_pem(key)}, 1001, "line"),
        "second of two damaged": (
            {"certificate": good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
             "privateKey": key_pem(key)}, 1001, "certificate 2 of 2"),
        "expired": ({"certificate": pem(expired(ca, key)), "privateKey": key_pem(key)},
                    1001, "expired"),
        "no key in the file": ({"certificate": good, "privateKey": good}, 1002, ""),
        "damaged key": ({"certificate": good, "privateKey": "\n".join(
            lines[:1] + ["AAAA" + lines[1][4:]] + lines[2:])}, 1002, ""),
        "wrong password": ({"certificate": good, "privateKey": key_pem(key, "pkcs8", "right"),
                            "privateKeyPassword": "wrong"}, 1003, "password"),
        "wrong password, legacy": (
            {"certificate": good, "privateKey": key_pem(key, "traditional", "right"),
             "privateKeyPassword": "wrong"}, 1003, "password"),
        "password missing": ({"certificate": good, "privateKey": key_pem(key, "pkcs8", "right")},
                             1003, "password"),
        "key of another": ({"certificate": good, "privateKey": key_pem(other)}, 1004, ""),
        "RSA below 2048": ({"certificate": pem(ca.issue(weak)), "privateKey": key_pem(weak)},
                           1005, "1024"),
        "Ed25519": ({"certificate": pem(ca.issue(wrong_type)), "privateKey": key_pem(wrong_type)},
                    1005, ""),
        "P-521": ({"certificate": pem(ca.issue(big)), "privateKey": key_pem(big)}, 1005, ""),
        "no key given, none in the token": ({"certificate": good}, 1004, ""),
        "members missing": ({}, 101, "certificate"),
        "wrong type": ({"certificate": 5, "privateKey": key_pem(key)}, 103, "certificate"),
    }


ROWS = refusal_rows()


@pytest.mark.sanitized
@pytest.mark.parametrize("row", ROWS)
def test_refusals(service, row):
    members, code, words = ROWS[row]
    api = service.api()
    before = stored(api)
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call("certificate.upload", **members)
    assert caught.value.faultCode == code, caught.value
    assert words in caught.value.faultString
    assert "-----BEGIN" not in caught.value.faultString
    assert stored(api) == before


def test_not_yet_valid_is_a_warning(clean, authority):
    now = datetime.datetime.utcnow()
    key = new_key()
    reply = upload(clean.local(), authority.issue(
        key, not_before=now + 2 * DAY, not_after=now + 30 * DAY), key)
    assert any("not yet valid" in w or "not valid before" in w
               for w in reply.get("warnings", [])), reply


# --- keys of the token

def test_key_generated_in_the_token(clean, authority):
    from cryptography import x509
    api = clean.local()
    for kind, bits in ("ecP256", 256), ("ecP384", 384), ("rsa2048", 2048):
        key_id = api.call("certificate.generateKey", keyType=kind)["keyId"]
        request = x509.load_pem_x509_csr(api.call(
            "certificate.createRequest", keyId=key_id,
            subject={"cn": "sip.example.org", "o": "Example"},
            subjectAltNames=["DNS:sip.example.org", "IP:127.0.0.1", "URI:sip:example.org"],
        )["request"].encode())
        assert request.is_signature_valid
        assert request.public_key().key_size == bits
        assert "CN=sip.example.org" in request.subject.rfc4514_string()
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["sip.example.org"]
        certificate = authority.issue(request.public_key())
        api.call("certificate.upload", certificate=pem(certificate))
        assert api.call("certificate.query")["local"]["keyStatus"] == "matches"
        api.call("certificate.activate")
        assert clean.wire_certificate() == der(certificate)


def test_key_made_by_pkcs11_tool(fresh_service, authority):
    """A provisioner's key serves for requests and for an upload without key."""
    from cryptography import x509
    service = fresh_service
    service.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--id", "beef",
                        "--label", "provisioned")
    api = service.local()
    request = x509.load_pem_x509_csr(api.call(
        "certificate.createRequest", keyId="beef", subject={"cn": "x"},
        subjectAltNames=[])["request"].encode())
    certificate = authority.issue(request.public_key())
    api.call("certificate.upload", certificate=pem(certificate))
    api.call("certificate.activate")
    assert service.wire_certificate() == der(certificate)
    api.call("certificate.delete")
    api.call("certificate.activate")
    # the provisioner's key is his
    assert "provisioned" in service.pkcs11_tool("--list-objects", "--type", "privkey")


# --- activation

@pytest.mark.sanitized
def test_activation_drops_no_connection(clean, authority):
    connection = http.client.HTTPSConnection(
        "127.0.0.1", clean.https, context=clean.context(), timeout=30)
    connection.connect()
    old = connection.sock.getpeercert(binary_form=True)
    local_port = connection.sock.getsockname()[1]

    def get():
        connection.request("GET", "/login.html")
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200 and body
        assert connection.sock.getsockname()[1] == local_port

    get()
    key = new_key()
    certificate = authority.issue(key)
    upload(clean.local(), certificate, key)
    get()
    clean.local().call("certificate.activate")
    assert clean.wire_certificate() == der(certificate)
    get()
    assert connection.sock.getpeercert(binary_form=True) == old
    connection.close()


def test_activation_ends_resumption(clean, authority, tmp_path):
    """No ticket of the old identity is accepted afterwards."""
    ticket = tmp_path / "session"
    target = ["-connect", f"127.0.0.1:{clean.https}", "-tls1_2"]
    run("openssl", "s_client", *target, "-sess_out", ticket)
    again = run("openssl", "s_client", *target, "-sess_in", ticket)
    assert "Reused, TLSv1.2" in again.stdout
    key = new_key()
    upload(clean.local(), authority.issue(key), key)
    clean.local().call("certificate.activate")
    after = run("openssl", "s_client", *target, "-sess_in", ticket)
    assert "New, TLSv1.2" in after.stdout


def test_nothing_to_activate_or_delete(clean):
    for method in "certificate.activate", "certificate.delete":
        with pytest.raises(xmlrpc.client.Fault):
            clean.local().call(method)


def test_custom_key_is_gone_after_deletion(fresh_service, authority):
    api = fresh_service.local()

    def keys():
        return fresh_service.pkcs11_tool(
            "--list-objects", "--type", "privkey").count("Private Key")

    # the device's own and the audit key
    wait_for(lambda: keys() == 2, 30, "both keys of the device", pause=0.5)
    before = keys()
    key = new_key()
    upload(api, authority.issue(key), key)
    api.call("certificate.activate")
    api.call("certificate.delete")
    api.call("certificate.activate")
    # handshakes that had begun are let end with it
    wait_for(lambda: keys() == before, 60, "the removal of the custom key", pause=0.5)


# --- kill -9 in the middle

KILL_ROUNDS = 8


def test_killed_during_uploads(fresh_service, authority):
    """At any moment the old or the new pair is there whole."""
    service = fresh_service
    pairs = []
    for _ in range(2):
        key = new_key()
        pairs.append((authority.issue(key), key))
    known = {fingerprint(c) for c, _ in pairs} | {service.wire_fingerprint()}
    for round_number in range(KILL_ROUNDS):
        stop = threading.Event()

        def uploads():
            api = service.local()
            while not stop.is_set():
                for certificate, key in pairs:
                    try:
                        upload(api, certificate, key)
                    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
                        return

        worker = threading.Thread(target=uploads)
        worker.start()
        time.sleep(0.05 + random.random() * 0.4)
        service.kill()
        stop.set()
        worker.join()
        service.start()
        query = service.local().call("certificate.query")
        assert query["local"]["keyStatus"] == "matches", f"round {round_number}"
        assert stored(service.local()) in known
        # and it signs
        assert service.wire_fingerprint() == stored(service.local())
    wait_for(lambda: service.pkcs11_tool("--list-objects").count(
        "sealbridge manifest identity") == 1, what="the one manifest", pause=0.5)


def test_wire_digest_helper(service):
    """The helper that other tests lean on tells what s_client tells."""
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{service.https}")
    start = done.stdout.index("-----BEGIN CERTIFICATE-----")
    end = done.stdout.index("-----END CERTIFICATE-----") + 25
    digest = run("openssl", "x509", "-noout", "-fingerprint", "-sha256",
                 input=done.stdout[start:end])
    assert digest.stdout.strip().rpartition("=")[2].replace(":", "").lower() == \
        hashlib.sha256(service.wire_certificate()).hexdigest()


def test_key_that_came_to_nothing_is_deleted(clean):
    api = clean.local()
    key_id = api.call("certificate.generateKey", keyType="ecP256")["keyId"]
    assert f"ID:         {key_id}" in clean.pkcs11_tool("--list-objects")
    done = clean.ctl("certificate", "delete-key", key_id)
    assert done.returncode == 0, done.stderr
    assert key_id not in clean.pkcs11_tool("--list-objects")
    assert api.call("certificate.query")["pendingRequests"] == []
    done = clean.ctl("certificate", "delete-key", key_id)
    assert done.returncode == 1 and "no such key" in done.stderr
    assert clean.ctl("certificate", "delete-key").returncode == 2
    key_of_default = re.search(r"sealbridge local key\s+ID:\s+([0-9a-f]+)", clean.pkcs11_tool(
        "--list-objects", "--type", "privkey")).group(1)
    done = clean.ctl("certificate", "delete-key", key_of_default)
    assert done.returncode == 1 and "local certificate" in done.stderr
