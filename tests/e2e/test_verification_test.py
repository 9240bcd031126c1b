# SPDX-License-Identifier: GPL-3.0-or-later
"""verification.test and sealbridgectl certificate test, with made certificates."""

import datetime
import json
import xmlrpc.client

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates import DAY, Authority, key_pem, name_of, new_key, pem

KEY = new_key()


@pytest.fixture(scope="module")
def world(service):
    """root > issuing; the root is in the HTTPS trust store, sip is empty."""
    root = Authority("Test root")
    issuing = Authority("Test issuing", parent=root)
    service.local().call("trustStore.upload", trustStore="https", certificates=root.pem)
    service.local().call("user.add", userName="alice", password="Right pass 1",
                         privilege="conference detail", forceChange=False)
    return root, issuing


def issue_for(authority, common_name, usage=None, **how):
    """A certificate, with an extended key usage when one is named."""
    certificate = authority.issue(KEY, common_name, how.pop("names", ()), **how)
    if usage is None:
        return certificate
    builder = (
        x509.CertificateBuilder().subject_name(name_of(common_name))
        .issuer_name(authority.name).public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(certificate.not_valid_before)
        .not_valid_after(certificate.not_valid_after)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False))
    return builder.sign(authority.key, hashes.SHA256())


def ask(service, certificates, **members):
    return service.api().call("verification.test",
                              certificate="".join(pem(c) for c in certificates), **members)


def path_of(reply):
    return [c["subject"]["cn"] for c in reply["chain"]]


def test_accepted_whatever_the_order(service, world):
    root, issuing = world
    alice = issue_for(issuing, "alice")
    for behind in ([issuing], [root, issuing], [Authority("Stranger"), issuing, root]):
        reply = ask(service, [alice] + [a.certificate for a in behind])
        assert reply["verdict"] == "accepted" and reply["reasonName"] == "accepted"
        assert path_of(reply) == ["alice", "Test issuing", "Test root"]
        assert "CN=Test root" in reply["reason"]
        assert reply["userName"] == "alice" and reply["userReason"] == ""
        assert reply["chain"][0]["pem"] == pem(alice)


def test_user_it_would_log_in_as(service, world):
    _, issuing = world
    api = service.local()
    for name, words in ("Alice", '"Alice"'), ("guest", '"guest"'), ("alice\n", ""):
        reply = ask(service, [issue_for(issuing, name), issuing.certificate])
        assert reply["verdict"] == "accepted"
        assert reply["userName"] == "" and reply["userReason"]
        assert words in reply["userReason"]
    api.call("user.modify", userName="alice", disabled=True)
    try:
        reply = ask(service, [issue_for(issuing, "alice"), issuing.certificate])
        assert reply["userName"] == "" and "disabled" in reply["userReason"]
    finally:
        api.call("user.modify", userName="alice", disabled=False)


def test_refused(service, world):
    root, issuing = world
    now = datetime.datetime.utcnow()
    rows = [
        ([issue_for(issuing, "alice")], "unknownAuthority", "CN=alice"),
        ([issue_for(Authority("Stranger"), "alice")], "unknownAuthority", "Stranger"),
        ([issue_for(root, "alice", not_before=now - 9 * DAY, not_after=now - DAY)],
         "expired", "CN=alice"),
        ([issue_for(root, "alice", not_before=now + DAY, not_after=now + 9 * DAY)],
         "notYetValid", "CN=alice"),
        ([issue_for(root, "alice", ExtendedKeyUsageOID.SERVER_AUTH)], "wrongUse", "CN=alice"),
        ([issue_for(root, f"crowd {n}") for n in range(17)], "tooMany", "16"),
    ]
    for certificates, reason, words in rows:
        reply = ask(service, certificates)
        assert (reply["verdict"], reply["reasonName"]) == ("refused", reason)
        assert words in reply["reason"]
        assert reply["userName"] == "" and reply["userReason"]
    reply = ask(service, [issue_for(root, "alice")], trustStore="sip")
    assert reply["reasonName"] == "unknownAuthority"


def test_server_for_its_host(service, world):
    root, _ = world
    server = issue_for(root, "host", names=("DNS:host.example", "IP:192.0.2.1"))
    for host, verdict in (("host.example", "accepted"), ("HOST.example", "accepted"),
                          ("192.0.2.1", "accepted"), ("other.example", "refused"),
                          ("192.0.2.2", "refused")):
        reply = ask(service, [server], role="server", host=host)
        assert reply["verdict"] == verdict, host
        assert reply["reasonName"] == ("accepted" if verdict == "accepted" else "wrongHost")
        assert reply["userName"] == ""


def test_faults_name_the_place(service, world):
    root, issuing = world
    good = pem(issue_for(issuing, "alice"))
    broken = good[:80] + "*" + good[81:]
    rows = [
        ({"certificate": good + broken}, 1001, "certificate 2 of 2 (line "),
        ({"certificate": good + key_pem(KEY)}, 1001, "private key"),
        ({"certificate": "garbage"}, 1001, "no certificate"),
        ({"certificate": good[:-30]}, 1001, "certificate 1 of 1 (line 1)"),
        ({"certificate": good, "role": "server"}, 102, "host"),
        ({"certificate": good, "role": "server", "host": "a b"}, 102, "host"),
        ({"certificate": good, "trustStore": "all"}, 102, "trustStore"),
        ({"certificate": "A" * (3 * 1024 * 1024 + 1)}, 102, "certificate"),
        ({}, 101, "certificate"),
    ]
    for members, code, words in rows:
        with pytest.raises(xmlrpc.client.Fault) as caught:
            service.api().call("verification.test", **members)
        assert caught.value.faultCode == code and words in caught.value.faultString
    with pytest.raises(xmlrpc.client.Fault) as caught:
        service.api("alice", "Right pass 1").call("verification.test", certificate=good)
    assert caught.value.faultCode == 15


def test_nothing_changes(service, world):
    root, issuing = world
    api = service.local()

    def state():
        events = api.call("auditlog.enumerate", numEvents=200)["events"]
        return (api.call("trustStore.query", trustStore="https"), api.call("certificate.query"),
                api.call("user.enumerate"), len(events))

    before = state()
    api.call("verification.test", certificate=pem(issue_for(issuing, "alice")) + issuing.pem)
    assert state() == before


def test_at_the_shell(service, world, tmp_path):
    root, issuing = world
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    good.write_text(pem(issue_for(issuing, "alice")) + issuing.pem)
    bad.write_text(pem(issue_for(Authority("Stranger"), "alice")))
    done = service.ctl("certificate", "test", good)
    assert done.returncode == 0 and done.stdout.startswith("Accepted\n")
    assert "Logs in:  alice" in done.stdout and "3. O=Sealbridge test" not in done.stdout
    assert "3. CN=Test root" in done.stdout
    done = service.ctl("certificate", "test", bad)
    assert done.returncode == 1 and done.stdout.startswith("Refused\n")
    assert "1. CN=alice" in done.stdout and "  <-" in done.stdout
    done = service.ctl("--json", "certificate", "test", good, "--role=server", "--host", "h.example")
    assert done.returncode == 1 and json.loads(done.stdout)["reasonName"] == "wrongHost"
    for args, code, words in [
            ((), 2, "too few"), ((good, bad), 2, "too many"), (("/nowhere",), 1, "/nowhere"),
            ((good, "--role"), 2, "no value"), ((good, "--role", "peer"), 1, "role"),
            ((good, "--store", "none"), 1, "trustStore")]:
        done = service.ctl("certificate", "test", *args)
        assert done.returncode == code and words in done.stderr and done.stdout == ""


@pytest.fixture
def sip_store(service, world):
    service.local().call("trustStore.upload", trustStore="sip", certificates=world[0].pem)
    yield
    service.local().call("trustStore.delete", trustStore="sip")


@pytest.mark.parametrize("names, usage, host, reason", [
    (("URI:sip:a.example",), None, "a.example", "accepted"),
    (("DNS:192.0.2.7",), None, "192.0.2.7", "accepted"),
    (("DNS:*.example",), None, "a.example", "wrongHost"),
    (("URI:sip:bob@a.example",), None, "a.example", "wrongHost"),
    ((), ExtendedKeyUsageOID.CLIENT_AUTH, "peer", "accepted"),
    ((), ExtendedKeyUsageOID.SERVER_AUTH, None, "accepted"),
    ((), ExtendedKeyUsageOID.EMAIL_PROTECTION, None, "wrongUse"),
    (("DNS:*.example",), None, None, "accepted"),
])
def test_sip_peers(service, world, sip_store, names, usage, host, reason):
    """By the rules for SIP: other names, other uses; host None: it calls us."""
    _, issuing = world
    certificate = issuing.issue(KEY, "peer", names, usage=usage)
    members = {"role": "server", "host": host} if host else {"role": "client"}
    reply = ask(service, [certificate, issuing.certificate], trustStore="sip", **members)
    assert reply["reasonName"] == reason, reply
