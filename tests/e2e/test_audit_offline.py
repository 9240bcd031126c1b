# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever changes the exported audit trail is found out on another machine, with no
token and no service."""

import json
import re
import resource

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit_trail import Document, fill, record_hash, verify
from sealbridge_service import BUILD, Service, run


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A document with several heads and its key; its service is gone."""
    place = tmp_path_factory.mktemp("export")
    with Service() as service:
        api = service.local()
        api.call("user.add", userName="walker", password="Right pass 1", forceChange=False)
        for _ in range(2):
            fill(service, 15)
            api.call("auditlog.export")
        fill(service, 5)
        done = service.ctl("audit", "export", place / "trail.xml")
        assert done.returncode == 0 and done.stdout == "", done.stderr
        # More behind the last head.
        fill(service, 2)
        done = service.ctl("audit", "key")
        assert done.returncode == 0
        (place / "key.pem").write_text(done.stdout)
        assert not list(place.glob("*.part"))
    return place


@pytest.fixture
def document(exported):
    return Document((exported / "trail.xml").read_text())


def check_broken(place, document, number, *reasons, key="key.pem"):
    done = verify(place, document.text(), key, "--json")
    assert done.returncode == 1, (done.stdout, done.stderr)
    verdict = json.loads(done.stdout)
    assert verdict["reason"] in reasons and not verdict["intact"], verdict
    assert number is None or verdict["firstBroken"] == number, verdict
    done = verify(place, document.text(), key)
    assert done.returncode == 1
    assert done.stdout.startswith(f"Broken at record {verdict['firstBroken']}: "), done.stdout
    return verdict


def test_offline_intact(exported, document):
    done = verify(exported)
    records = len(list(document.root().iter("record")))
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"Intact: {records} records of "), done.stdout
    assert "attested by no head" not in done.stdout
    verdict = json.loads(verify(exported, None, "key.pem", "--json").stdout)
    assert verdict["intact"] and verdict["heads"] == len(document.heads()) >= 3
    assert verdict["signedUpTo"] == records and verdict["unsigned"] == 0
    # The chain alone, and it says so.
    done = verify(exported, None, None)
    assert done.returncode == 0 and "Only the chain was checked" in done.stdout


@pytest.mark.parametrize("element", [
    "module", "severity", "userName", "peer", "via", "event", "field"])
@pytest.mark.parametrize("number", [1, 12])
def test_offline_text_is_changed(exported, document, element, number):
    line = document.at(number)
    if f"<{element}" not in document.lines[line]:
        line, number = document.at(12), 12
    document.change(line, f"<{element}([^>]*)>", rf"<{element}\1>x")
    check_broken(exported, document, number, "changed")
    # A person who knows how hashes are made.
    document.rehash(number)
    check_broken(exported, document, None, "rewritten")
    done = verify(exported, document.text(), None)
    assert done.returncode == 0 and "Only the chain was checked" in done.stdout


@pytest.mark.parametrize("pattern, replacement, reasons", [
    (r'time="....', 'time="2001', {"changed"}),
    (r'hash="[0-9a-f]{64}', 'hash="' + 64 * "0", {"changed", "moved", "inserted", "missing"}),
    (r'index="12"', 'index="13"', {"missing"}),
    (r'index="12"', 'index="0"', {"inserted"}),
    (r'name="[a-zA-Z]+"', 'name="other"', {"changed"}),
    (r'<field.*</field>', '', {"changed"}),
    (r'</record>', '<field name="more">x</field></record>', {"changed"}),
    (r'<via>[a-z]*</via>', '<via></via>', {"changed"}),
    (r'</event>', '&#10;</event>', {"changed", "unreadable"}),
])
def test_offline_attribute_is_changed(exported, document, pattern, replacement, reasons):
    document.change(document.at(12), pattern, replacement)
    check_broken(exported, document, None if 'index="0"' in replacement else 12, *reasons)


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_offline_record_is_removed(exported, document, where):
    last = len(list(document.root().iter("record")))
    number = {"first": 1, "middle": 12, "last": last}[where]
    del document.lines[document.at(number)]
    check_broken(exported, document, number, "missing")


def test_offline_record_is_added(exported, document):
    line = document.at(12)
    document.lines.insert(line, document.lines[document.at(5)])
    check_broken(exported, document, None, "inserted")


def test_offline_records_change_places(exported, document):
    one, other = document.at(11), document.at(20)
    document.lines[one], document.lines[other] = document.lines[other], document.lines[one]
    check_broken(exported, document, 11, "missing")
    # With the numbers, too.
    document.change(one, 'index="20"', 'index="11"')
    document.change(other, 'index="11"', 'index="20"')
    check_broken(exported, document, 11, "moved")


def test_offline_front_is_cut_off(exported, document):
    """With the beginning of the document made to fit."""
    anchor = re.search('hash="([0-9a-f]+)"', document.lines[document.at(10)])[1]
    begin, end = document.at(1), document.at(10)
    del document.lines[begin:end + 1]
    document.change_root('first="1"', 'first="11"')
    document.change_root('anchor="[0-9a-f]+"', f'anchor="{anchor}"')
    check_broken(exported, document, 1, "missing")


def test_offline_end_is_cut_off(exported, document):
    """Down to a head it cannot be told from an export of that moment, but for the
    number of the head; behind a head the records are not attested."""
    whole = json.loads(verify(exported, None, "key.pem", "--json").stdout)
    heads = document.heads()
    record = int(re.search('record="([0-9]+)"', document.lines[heads[-2]])[1])
    last = record + 2
    for line in reversed(range(document.at(last + 1), len(document.lines) - 1)):
        del document.lines[line]
    check_broken(exported, document, last + 1, "missing")
    document.change_root(' last="[0-9]+"', f' last="{last}"')
    done = verify(exported, document.text(), "key.pem", "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 0 and verdict["unsigned"] == 2
    assert verdict["signedUpTo"] == record
    assert verdict["headCounter"] == whole["headCounter"] - 1
    done = verify(exported, document.text())
    assert "2 records at the end are attested by no head" in done.stdout


@pytest.mark.parametrize("pattern, replacement, reasons", [
    (r'counter="[0-9]+"', 'counter="99"', {"missing", "headSignature"}),
    (r'record="[0-9]+"', 'record="1"', {"moved"}),
    (r'record="[0-9]+"', 'record="999"', {"missing"}),
    (r'hash="[0-9a-f]{64}', 'hash="' + 64 * "0", {"headSignature"}),
    (r'first="1"', 'first="2"', {"headSignature"}),
    (r'anchor="00', 'anchor="01', {"headSignature"}),
    (r'time="....', 'time="2001', {"headSignature"}),
    (r'keyId="[0-9a-f]{40}', 'keyId="' + 40 * "0", {"headSignature"}),
    (r'signature="[^"]*"', 'signature=""', {"headSignature"}),
    (r'signature="[^"]*"', 'signature="AAAA"', {"headSignature"}),
    (r'signature="([^"]{20})....', r'signature="\1AAAA', {"headSignature"}),
])
def test_offline_head_is_changed(exported, document, pattern, replacement, reasons):
    document.change(document.heads()[1], pattern, replacement)
    check_broken(exported, document, None, *reasons)


def test_offline_heads_are_removed(exported, document):
    del document.lines[document.heads()[1]]
    check_broken(exported, document, None, "missing")
    for line in reversed(document.heads()):
        del document.lines[line]
    check_broken(exported, document, 1, "headSignature")


def test_offline_wrong_key(exported, document):
    """Never the key in the file, also when somebody put a fitting one there."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM,
                           serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    (exported / "other.pem").write_text(pem)
    check_broken(exported, document, 1, "headSignature", key="other.pem")
    changed = Document(re.sub("<publicKey>.*</publicKey>", f"<publicKey>{pem}</publicKey>",
                              document.text(), flags=re.S))
    check_broken(exported, changed, 1, "headSignature", key="other.pem")
    done = verify(exported, changed.text())
    assert done.returncode == 0 and "names another key" in done.stdout
    assert "names another key" not in verify(exported).stdout


@pytest.mark.parametrize("key, words", [
    ("none.pem", "none.pem"), ("trail.xml", "does not count"), ("empty", "empty"), (".", ".")])
def test_offline_no_key(exported, key, words):
    (exported / "empty").write_text("")
    done = verify(exported, None, key)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_offline_unreadable(exported, document):
    text = document.text().encode()
    head, tail = text.split(b"\n", 1)
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
    outside = b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">'
    rows = [
        (b"", "line 1"), (b"\n", "not an XML"), (b"PK\x03\x04", "not an XML"),
        (text[:len(text) // 2], "line "), (text[:-12], "line "),
        (text + b"<more/>", "line "), (text + text, "line "),
        (head + b"\n" + bomb + tail, "DOCTYPE"), (head + b"\n" + outside + tail, "DOCTYPE"),
        (text.replace(b"<record ", b"<!-- x --><record ", 1), "comment"),
        (text.replace(b"<record ", b"<x>" * 10000 + b"<record ", 1), "unexpected element x"),
        (text.replace(b"<record ", b"<record " + b"a='b' " * 100000, 1), "bytes"),
        (text.replace(b"</module>", b"x" * 200000 + b"</module>", 1), "record 1"),
        (text.replace(b' hash="', b' hash="0', 1), "record"),
        (text.replace(b"<via>", b"<vua>", 1), "record 1"),
        (text.replace(b'format="2"', b'format="1"', 1), "record 1"),
        (text.replace(b'version="1"', b'version="2"'), "version 2"),
        (text.decode().encode("utf-16"), "not an XML"),
        (text.replace(b"walker", b"\xff\xfe", 1), "line "),
        (text.replace(b"walker", b"wal\0ker", 1), "NUL"),
        (b"<html><body>Log in</body></html>", "html"),
    ]
    for changed, words in rows:
        assert changed != text
        done = verify(exported, changed)
        assert done.returncode == 2, (words, done.stdout)
        assert words in done.stderr and done.stdout == "", (words, done.stderr)
        assert len(done.stderr) < 600
    for file in "none.xml", ".":
        done = run("env", "-i", BUILD / "sealbridgectl", "audit", "verify", "--file", file,
                   cwd=exported)
        assert done.returncode == 2 and done.stdout == ""


def test_offline_huge(exported, document):
    """100,000 records of one key, which nobody has to hold in memory at once."""
    root = document.root()
    previous = bytes.fromhex(root.get("anchor"))
    texts = ["Web", "Info", "alice", "192.0.2.5", "session", "settingChanged",
             "setting=a\nfrom=b\nto=c"]
    count = 100000
    with (exported / "huge.xml").open("w") as out:
        document.change_root(' last="[0-9]+"', f' last="{count}"')
        out.write("".join(document.lines[:document.at(1)]))
        for number in range(1, count + 1):
            previous = record_hash(previous, number, 1795318691, texts)
            out.write(
                f'<record index="{number}" time="2026-11-22T03:38:11Z" format="2" '
                f'hash="{previous.hex()}"><module>Web</module><severity>Info</severity>'
                "<userName>alice</userName><peer>192.0.2.5</peer><via>session</via>"
                '<event>settingChanged</event><field name="setting">a</field>'
                '<field name="from">b</field><field name="to">c</field></record>\n')
        out.write("</auditLog>\n")

    def little_memory():
        resource.setrlimit(resource.RLIMIT_DATA, (128 << 20, 128 << 20))

    # The sanitizers of a test build reserve more than that for themselves.
    sanitized = b"__asan_init" in (BUILD / "sealbridgectl").read_bytes()
    done = run("env", "-i", BUILD / "sealbridgectl", "--json", "audit", "verify", "--file",
               "huge.xml", cwd=exported, preexec_fn=None if sanitized else little_memory)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked"] == count


def test_wrong_use(exported):
    for args, words in [(("--key", "key.pem"), "--key is for --file"),
                        (("--file",), "no value"), (("--file", "trail.xml", "x"), "too many")]:
        done = run("env", "-i", BUILD / "sealbridgectl", "audit", "verify", *args, cwd=exported)
        assert done.returncode == 2 and words in done.stderr, args
    for args in (), ("--before", "x"), ("--before", "-1"), ("--before", "99999999999"):
        done = run("env", "-i", BUILD / "sealbridgectl", "audit", "delete", *args, cwd=exported)
        assert done.returncode == 2, args
