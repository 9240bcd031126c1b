# SPDX-License-Identifier: GPL-3.0-or-later
"""Trust stores by real clients: XML-RPC, curl, sealbridgectl, pkcs11-tool."""

import threading
import time
import xmlrpc.client

import pytest

from certificates import Authority, fingerprint, key_pem, new_key
from sealbridge_service import run, wait_for

STORES = ("https", "sip", "callHome")


@pytest.fixture(scope="module")
def authorities():
    return [Authority(f"Trust CA {n}") for n in range(5)]


@pytest.fixture
def clean(service):
    api = service.local()
    for store in STORES:
        if api.call("trustStore.query", trustStore=store)["certificates"]:
            api.call("trustStore.delete", trustStore=store)
    return service


def held(api, store="https"):
    return [c["sha256Fingerprint"] for c in
            api.call("trustStore.query", trustStore=store)["certificates"]]


def prints(authorities):
    return [fingerprint(a.certificate) for a in authorities]


def bundle(authorities):
    return "".join(a.pem for a in authorities)


def fault_of(call, *args, **members):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*args, **members)
    return caught.value.faultCode, caught.value.faultString


def test_all_stores_at_once(clean, authorities):
    api = clean.api()
    api.call("trustStore.upload", trustStore="sip", certificates=bundle(authorities[:2]))
    stores = api.call("trustStore.query")["stores"]
    assert [s.pop("trustStore") for s in stores] == list(STORES)
    assert stores == [api.call("trustStore.query", trustStore=name) for name in STORES]
    assert [len(s["certificates"]) for s in stores] == [0, 2, 0]
    assert fault_of(api.call, "trustStore.query", trustStore="")[0] == 102


def test_first_start(fresh_service):
    api = fresh_service.api()
    wait_for(lambda: api.call("trustStore.query", trustStore="callHome")["source"] == "default",
             what="the factory content")
    query = api.call("trustStore.query", trustStore="callHome")
    assert [c["subject"]["cn"] for c in query["certificates"]] == [
        "IdenTrust Commercial Root CA 1"]
    assert query["certificates"][0]["marks"] == []
    for store in ("https", "sip"):
        assert api.call("trustStore.query", trustStore=store) == {
            "certificates": [], "source": "none"}
    api.call("trustStore.delete", trustStore="callHome")
    fresh_service.stop().start()
    api = fresh_service.api()
    assert api.call("trustStore.query", trustStore="callHome")["source"] == "none"
    api.call("trustStore.reset", trustStore="callHome")
    assert api.call("trustStore.query", trustStore="callHome")["source"] == "default"


@pytest.mark.sanitized
def test_upload_replaces_and_lasts(clean, authorities):
    api = clean.api()
    reply = api.call("trustStore.upload", trustStore="https",
                     certificates=bundle(authorities[:3]))
    assert (reply["count"], reply["added"], reply["removed"], reply["kept"]) == (3, 3, 0, 0)
    seen = api.call("trustStore.examine", trustStore="https",
                    certificates=bundle(authorities[2:]))
    assert (seen["count"], seen["added"], seen["removed"], seen["kept"]) == (3, 2, 2, 1)
    assert held(api) == prints(authorities[:3])
    reply = api.call("trustStore.upload", trustStore="https",
                     certificates="# x\r\n" + bundle(authorities[2:] * 2))
    assert reply["count"] == 3
    assert held(api) == prints(authorities[2:])
    assert held(api, "sip") == []
    clean.stop().start()
    assert held(clean.api()) == prints(authorities[2:])
    assert clean.api().call("trustStore.query", trustStore="https")["source"] == "uploaded"


@pytest.mark.sanitized
def test_refusals_leave_the_store(clean, authorities):
    api = clean.api()
    api.call("trustStore.upload", trustStore="https", certificates=bundle(authorities[:2]))
    bad = authorities[3].pem.replace("MII", "M*I")
    rows = [
        ("", 1001, "holds no certificate"), ("words", 1001, "holds no certificate"),
        (authorities[2].pem + bad + authorities[4].pem, 1001, "certificate 2 of 3 (line "),
        (authorities[2].pem + key_pem(new_key()), 1001, "private key"),
        (bundle(authorities) * 201, 201, "1005 certificates: at most 1000"),
    ]
    for text, code, words in rows:
        got, said = fault_of(api.call, "trustStore.upload", trustStore="https",
                             certificates=text)
        assert (got, words in said) == (code, True), said
    for store in ("HTTPS", "ftp", ""):
        assert fault_of(api.call, "trustStore.query", trustStore=store)[0] in (101, 102)
    assert fault_of(api.call, "trustStore.reset", trustStore="https")[0] in (101, 102)
    assert fault_of(api.call, "trustStore.delete", trustStore="sip")[0] == 1012
    assert held(api) == prints(authorities[:2])


def test_administrators_only(clean):
    for method in ("query", "progress", "delete"):
        code, _ = fault_of(clean.api("guest", "").call, f"trustStore.{method}",
                           trustStore="https")
        assert code in (14, 15)
        assert fault_of(clean.anonymous().call, f"trustStore.{method}",
                        trustStore="https")[0] == 14


def test_audit(clean, authorities):
    api = clean.local()
    api.call("trustStore.upload", trustStore="sip", certificates=bundle(authorities[:2]))
    fault_of(api.call, "trustStore.upload", trustStore="sip", certificates="x")
    api.call("trustStore.delete", trustStore="sip")
    api.call("trustStore.reset", trustStore="callHome")
    found = {e["event"]: e["fields"]
             for e in api.call("auditlog.enumerate", numEvents=200)["events"]}
    uploaded = found["trustStoreUploaded"]
    assert [uploaded[name] for name in ("trustStore", "count", "added", "removed")] == [
        "sip", "2", "2", "0"]
    assert found["trustStoreChangeFailed"]["trustStore"] == "sip"
    assert found["trustStoreDeleted"]["removed"] == "2"
    assert found["trustStoreReset"]["trustStore"] == "callHome"


def test_curl(clean, authorities, tmp_path):
    body = tmp_path / "call.xml"
    text = bundle(authorities[:2])
    body.write_text(
        "<?xml version='1.0'?><methodCall><methodName>trustStore.upload</methodName><params>"
        "<param><value><struct>"
        "<member><name>authenticationUser</name><value>admin</value></member>"
        "<member><name>authenticationPassword</name><value>"
        f"{clean.admin_password}</value></member>"
        "<member><name>trustStore</name><value>sip</value></member>"
        f"<member><name>certificates</name><value>{text}</value></member>"
        "</struct></value></param></params></methodCall>")
    done = run("curl", "-sk", "--data-binary", f"@{body}", "-H", "Content-Type: text/xml",
               clean.url + "/RPC2")
    assert "operation successful" in done.stdout, done.stdout
    assert held(clean.local(), "sip") == prints(authorities[:2])


def test_command_line(clean, authorities, tmp_path):
    path = tmp_path / "bundle.pem"
    path.write_text(bundle(authorities[:2]))
    done = clean.ctl("trust-store", "upload", "sip", path)
    assert done.returncode == 0, done.stderr
    shown = clean.ctl("trust-store", "show", "sip").stdout
    assert "2 certificates (source: uploaded)" in shown
    assert "Trust CA 0" in shown and fingerprint(authorities[1].certificate) in shown
    assert clean.ctl("trust-store", "delete", "sip").returncode == 0
    again = clean.ctl("trust-store", "delete", "sip")
    assert again.returncode == 1 and "trust store empty" in again.stderr
    assert clean.ctl("trust-store", "reset", "callHome").returncode == 0
    assert "IdenTrust" in clean.ctl("trust-store", "show", "callHome").stdout
    assert clean.ctl("trust-store", "show", "ftp").returncode == 1
    assert clean.ctl("trust-store", "show").returncode == 2
    path.write_text("nothing")
    refused = clean.ctl("trust-store", "upload", "sip", path)
    assert refused.returncode == 1 and "holds no certificate" in refused.stderr


def test_pkcs11_tool_lists_members(clean, authorities):
    clean.api().call("trustStore.upload", trustStore="https",
                     certificates=bundle(authorities[:2]))
    listed = clean.pkcs11_tool("--list-objects")
    assert listed.count("sealbridge trust https\n") >= 2
    assert "CN=Trust CA 1" in listed
    assert "sealbridge manifest trust https" in listed


def test_others_go_on_during_a_long_upload(clean):
    """As many as it takes for two looks at it: disks differ by a factor of thirty."""
    api = clean.api()
    for count in 60, 250, 1000:
        seen = look_while_uploading(clean, api, bundle([Authority(f"Long {n}")
                                                        for n in range(count)]), count)
        assert len(held(api)) == count
        if len(seen) >= 2:
            break
        api.call("trustStore.delete", trustStore="https")
    assert len(seen) >= 2


def look_while_uploading(service, api, certificates, count):
    """How far it was, each time that it was asked."""
    seen = set()
    upload = threading.Thread(target=lambda: service.api().call(
        "trustStore.upload", trustStore="https", certificates=certificates))
    upload.start()
    while upload.is_alive():
        query = api.call("trustStore.query", trustStore="https")
        service.wire_certificate()
        if "progress" in query:
            seen.add(query["progress"]["done"])
            assert query["progress"]["total"] == count
            assert query["certificates"] == []
    upload.join()
    return seen


def test_kill_leaves_old_or_new(make_service, authorities):
    service = make_service()
    contents = [authorities[:4], [Authority(f"New {n}") for n in range(12)]]
    service.local().call("trustStore.upload", trustStore="https",
                         certificates=bundle(contents[0]))
    for step in range(5):
        def replace(text=bundle(contents[1 - step % 2])):
            try:
                service.local().call("trustStore.upload", trustStore="https",
                                     certificates=text)
            except OSError:
                pass  # killed, as intended
            except Exception as error:  # the reply was cut off
                print(error)
        thread = threading.Thread(target=replace)
        thread.start()
        time.sleep(0.05 + 0.11 * step)
        service.kill()
        thread.join()
        service.start()
        local = service.local()
        wait_for(lambda: held(local, "callHome") and held(local), what="the stores")
        assert held(local) in [prints(c) for c in contents]
