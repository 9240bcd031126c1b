# SPDX-License-Identifier: GPL-3.0-or-later
"""What others see in the token, and what happens when it misbehaves."""

import os
import pathlib
import re
import signal
import subprocess
import xmlrpc.client

import pytest

from certificates import Authority, der, key_pem, new_key, pem
from sealbridge_service import (
    BUILD, SOFTHSM_MODULE, SOURCE, process_is_gone, run, wait_for,
)

CKR_ATTRIBUTE_SENSITIVE, CKR_KEY_UNEXTRACTABLE = 0x11, 0x6A
SPY_MODULE = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"


def replace_certificate(service, kind):
    key = new_key(kind)
    certificate = Authority().issue(key)
    api = service.local()
    api.call("certificate.upload", certificate=pem(certificate), privateKey=key_pem(key))
    api.call("certificate.activate")
    assert service.wire_certificate() == der(certificate)


@pytest.mark.sanitized
def test_objects_by_pkcs11_tool(fresh_service):
    """Keys generated, and keys uploaded, are sensitive and stay inside."""
    service = fresh_service

    def keys():
        return [block for block in re.split(
            r"(?m)^(?=\S)", service.pkcs11_tool("--list-objects"))
            if block.startswith("Private Key Object")]

    wait_for(lambda: "sealbridge audit head" in service.pkcs11_tool("--list-objects"), 30,
             "the first head of the audit log", pause=0.5)
    own = keys()
    assert len(own) == 2
    for label in "sealbridge local key", "sealbridge audit key":
        assert len([block for block in own if label in block]) == 1
    for block in own:
        assert re.search(r"Access: .*sensitive.*always sensitive.*never extractable.*local", block)
    for kind in "rsa2048", "ecP256":
        replace_certificate(service, kind)
    listed = service.pkcs11_tool("--list-objects")
    for block in keys():
        assert re.search(r"Access: .*sensitive", block), block
        assert " extractable" not in block.replace("never extractable", ""), block
        assert "decrypt" not in block and "unwrap" not in block, block
    for words in ("sealbridge local key", "sealbridge local certificate",
                  "sealbridge manifest identity"):
        assert words in listed
    query = service.local().call("token.query")
    assert query["state"] == "ready" and query["label"] == "sealbridge"
    assert query["sessionsOpen"] <= query["sessionsMax"]
    assert "CKM_ECDSA" in query["mechanisms"]
    assert "sealbridge audit key" not in [key["label"] for key in query["keys"]]
    head = re.search(r"Data object [^\n]*\n(?: [^\n]*\n)*?  label: +'sealbridge audit head'\n"
                     r"  application: +'sealbridge'\n(?: [^\n]*\n)*", listed)
    assert head and "private" in head.group()


def test_keys_cannot_be_read(make_service):
    """Whoever has the PIN and asks the module himself gets refusals."""
    service = make_service()
    for kind in "rsa2048", "ecP256":
        replace_certificate(service, kind)
    service.local().call("certificate.generateKey", keyType="ecP384")
    service.stop()
    done = run("/usr/bin/python3", SOURCE / "tests" / "lib" / "pkcs11_probe.py",
               SOFTHSM_MODULE, "sealbridge", input=service.pin + "\n",
               env=service.softhsm_env())
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    names = [name for name, attempt, _ in rows if attempt == "wrap"]
    assert len(names) >= 3, done.stdout
    for name, attempt, value in rows:
        assert int(value, 16) != 0, (name, attempt)
        if attempt == "wrap":
            assert int(value, 16) == CKR_KEY_UNEXTRACTABLE, (name, value)
    # each key has the value of its kind, and the token calls it sensitive
    assert sum(int(value, 16) == CKR_ATTRIBUTE_SENSITIVE for _, attempt, value in rows
               if attempt in ("read-value", "read-exponent")) >= len(names)


def spied_calls(text):
    """(function, block of log text) for each call that pkcs11-spy saw."""
    parts = re.split(r"(?m)^\d+: (C_\w+)\n", text)
    return list(zip(parts[1::2], parts[2::2]))


def test_no_private_value_is_asked_for(make_service, tmp_path):
    """Everything the service does with the key, under the eyes of pkcs11-spy."""
    log = tmp_path / "spy.log"
    service = make_service(
        env={"PKCS11SPY": SOFTHSM_MODULE, "PKCS11SPY_OUTPUT": str(log)},
        configuration=f"[token]\nmodule = {SPY_MODULE}\n")
    for kind in "rsa2048", "ecP256", "ecP384":
        replace_certificate(service, kind)
        key_id = service.local().call("certificate.generateKey", keyType=kind)["keyId"]
        service.local().call("certificate.createRequest", keyId=key_id,
                             subject={"cn": "x"}, subjectAltNames=[])
    service.local().call("certificate.query")
    service.local().call("token.query")
    service.stop()
    calls = spied_calls(log.read_text(errors="replace"))
    names = [name for name, _ in calls]
    for needed in ("C_Sign", "C_GetAttributeValue", "C_GenerateKeyPair", "C_Finalize"):
        assert needed in names, f"the spy saw no {needed}"
    for name, block in calls:
        # a token refuses to show a sensitive attribute with exactly this
        assert "CKR_ATTRIBUTE_SENSITIVE" not in block, block
        if name == "C_GetAttributeValue":
            for attribute in ("CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_PRIME_2",
                              "CKA_EXPONENT_1", "CKA_EXPONENT_2", "CKA_COEFFICIENT"):
                assert attribute not in block, block
    assert not {"C_WrapKey", "C_Decrypt", "C_DecryptInit"} & set(names)
    assert names.count("C_Login") == 1


def test_devices_differ(service, make_service):
    other = make_service()
    assert service.wire_certificate() != other.wire_certificate()

    def modulus(s):
        from cryptography import x509
        return x509.load_der_x509_certificate(s.wire_certificate()).public_key().public_numbers()

    assert modulus(service) != modulus(other)


def records(service, event):
    """Of that event, in the audit log."""
    return service.local().call("auditlog.enumerate", numEvents=200,
                                filter={"event": event})["events"]


def test_what_a_first_start_records(make_service):
    service = make_service()
    made, = records(service, "keyGenerated")
    key = service.local().call("certificate.query")["local"]
    assert made["module"] == "System" and made["fields"]["keyType"] == "ecP256"
    assert made["fields"]["keyId"] in service.pkcs11_tool("--list-objects")
    assert key["keyStatus"] == "matches"
    ready = wait_for(lambda: records(service, "tokenReady"), what="the record")
    assert ready[0]["fields"]["label"] == "sealbridge"
    service.kill()
    service.start()
    reasons = [r["fields"]["reason"] for r in records(service, "serviceStarted")]
    assert reasons == ["start", "start after a run that did not end by itself"]
    assert len(records(service, "keyGenerated")) == 1


# --- a PIN that is wrong

def test_wrong_pin_is_tried_once(make_service):
    """Refused once, remembered, over restarts too; right again once mended."""
    service = make_service()
    service.stop()
    pin_file = service.state / "secrets" / "token.pin"
    right = pin_file.read_text()
    pin_file.write_text("000000\n")
    attempts = []
    for _ in range(4):
        service.start_bare()
        query = service.local().call("token.query")
        attempts.append(query["state"])
        assert service.api(tls=False).call("device.query")["model"]
        service.stop()
    assert attempts == ["pinRefused"] * 4
    # the token is not locked: SoftHSM would say so after a few more failures
    done = run("pkcs11-tool", "--module", SOFTHSM_MODULE, "--token-label", "sealbridge",
               "--list-slots", env=service.softhsm_env())
    assert "locked" not in done.stdout.lower()
    pin_file.write_text(right)
    service.start()
    assert service.local().call("token.query")["state"] == "ready"
    service.wire_certificate()
    assert {r["severity"] for r in records(service, "tokenPinRefused")} == {"Severe Warning"}


def test_pin_mended_while_running(make_service):
    service = make_service()
    service.stop()
    pin_file = service.state / "secrets" / "token.pin"
    right = pin_file.read_text()
    pin_file.write_text("000000\n")
    # quickstart does not wait for an HTTPS that cannot come
    done = service.quickstart(*service.start_arguments())
    assert done.returncode == 0, done.stderr
    assert "pinRefused" in done.stderr
    assert service.local().call("token.query")["state"] == "pinRefused"
    pin_file.write_text(right)
    wait_for(lambda: service.local().call("token.query")["state"] == "ready", 60,
             "the token after the PIN was mended")
    service.wait_ready()


# --- a token that is absent

@pytest.mark.sanitized
def test_absent_at_start(make_service):
    """HTTP and the control socket answer; HTTPS follows with the token."""
    service = make_service()
    before = service.wire_certificate()
    service.stop()
    tokens = service.state / "tokens"
    away = service.state / "tokens.away"
    tokens.rename(away)
    tokens.mkdir(mode=0o700)
    service.start_bare()
    assert service.local().call("token.query")["state"] == "unavailable"
    assert service.api(tls=False).call("device.query")["model"]
    done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
               f"{service.http_url}/login.html")
    assert done.stdout == "200"
    for path, code in ("/health/live", "200"), ("/health/ready", "503"):
        done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                   service.http_url + path)
        assert done.stdout == code
    with pytest.raises(xmlrpc.client.Fault) as caught:
        key = new_key()
        service.local().call("certificate.upload", privateKey=key_pem(key),
                             certificate=pem(Authority().issue(key)))
    assert caught.value.faultCode == 1006
    service.stop()
    tokens.rmdir()
    away.rename(tokens)
    service.start()
    assert service.wire_certificate() == before
    (absent,) = records(service, "tokenState")
    assert absent["fields"]["state"] == "unavailable" and absent["fields"]["reason"]


def test_token_process_dies_and_returns(make_service):
    """Isolated: the p11-kit server is killed; connections that stand go on,
    and new handshakes succeed once it is back."""
    service = make_service(isolated=True)
    before = service.wire_certificate()
    server = int((service.state / "p11-kit.pid").read_text())
    # the processes that serve the connections are the server's children
    children = pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split()
    assert children, "no connection to the token server"
    os.kill(server, signal.SIGKILL)
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    wait_for(lambda: service.local().call("token.query")["state"] != "ready" or
             not _handshakes(service), what="the loss of the token to be noticed")
    assert service.local().call("device.query")["model"]
    service.start_token_server()
    wait_for(lambda: _handshakes(service), 60, "handshakes after the token's return")
    assert service.wire_certificate() == before
    lost = wait_for(lambda: records(service, "tokenLost"), what="the record")
    assert lost[0]["fields"]["reason"]


def _serving(service):
    """The processes of the token server, the listening one first."""
    server = int((service.state / "p11-kit.pid").read_text())
    children = pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [server, *map(int, children)]


def _catches(pid, number):
    caught = re.search(r"^SigCgt:\s*(\w+)",
                       pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)
    return int(caught, 16) >> number - 1 & 1


@pytest.fixture
def frozen():
    """Stop processes; at the end all go on."""
    stopped = []

    def freeze(pids):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)

    yield freeze
    for pid in stopped:
        if not process_is_gone(pid):
            os.kill(pid, signal.SIGCONT)


def test_end_although_the_token_hangs(make_service, frozen):
    """A module that never answers is left behind, with a word in the log."""
    service = make_service(isolated=True)
    api = service.local()
    api.call("user.add", userName="kept", password="Right pass 1", forceChange=False)
    before = service.wire_certificate()
    serving = _serving(service)
    assert len(serving) > 1, "no connection to the token server"
    frozen(serving)
    os.kill(service.pid, signal.SIGTERM)
    wait_for(lambda: not service.is_running(), 60, "the end")
    assert "the process ends now" in service.log()
    for pid in serving:
        os.kill(pid, signal.SIGCONT)
    service.quickstart("--stop")
    service.start()
    assert service.wire_certificate() == before
    assert service.local().call("auditlog.verify")["intact"]
    assert "kept" in str(service.local().call("user.enumerate"))


def test_end_although_the_token_hangs_at_the_start(make_service, frozen):
    """Before the event loop runs, TERM counts as well."""
    service = make_service(isolated=True)
    os.kill(service.pid, signal.SIGTERM)
    wait_for(lambda: not service.is_running(), 60, "the end")
    frozen(_serving(service))
    with open(service.state / "sealbridged.log", "a") as log:
        process = subprocess.Popen(
            [BUILD / "sealbridged", "-c", service.state / "sealbridge.conf"],
            env={**service.softhsm_env(), **service.token_server_env()},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for(lambda: _catches(process.pid, signal.SIGALRM), 60, "the limit of the end")
        process.terminate()
        assert process.wait(60) == 1
    finally:
        process.kill()
        process.wait()
    assert "the process ends now" in service.log()


def _handshakes(service):
    try:
        return service.wire_certificate()
    except OSError:
        return None


def test_required_token(make_service):
    service = make_service(start=False, configuration="[token]\nrequired = yes\n"
                                                      "uri = pkcs11:token=another\n")
    done = service.quickstart(*service.start_arguments())
    assert done.returncode != 0
    assert "did not start" in done.stderr
