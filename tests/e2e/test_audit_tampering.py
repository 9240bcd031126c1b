# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever changes the audit trail is found out: in the database, by putting an
older database back, and in an exported document on another machine."""

import json
import pathlib
import re
import resource
import shutil
import xmlrpc.client

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit_trail import TEXTS, Database, Document, head_bytes, record_hash
from sealbridge_service import BUILD, Service, run


def fill(service, count, name="walker"):
    api = service.local()
    for n in range(count):
        api.call("user.modify", userName=name, name=f"Walker {n} <&> \"é\"")


@pytest.fixture(scope="module")
def trail(service):
    """A service with two signed heads, fifteen records behind each other head, and
    some that no head attests yet."""
    service.local().call("user.add", userName="walker", password="Right pass 1",
                         forceChange=False)
    fill(service, 15)
    service.local().call("auditlog.export")  # signs
    fill(service, 15)
    service.local().call("auditlog.export")
    fill(service, 5)
    query = service.local().call("auditlog.query")
    assert query["headCounter"] >= 2 and query["unsigned"] == 5
    return service


@pytest.fixture
def database(trail):
    db = Database(trail.state)
    saved = db.save()
    yield db
    db.put_back(saved)
    verdict = trail.local().call("auditlog.verify")
    assert verdict["intact"], verdict


def check_found(service, number, *reasons):
    """By the API and by the command line, which names the record."""
    verdict = service.local().call("auditlog.verify")
    assert not verdict["intact"]
    assert verdict["reason"] in reasons and verdict["problem"], verdict
    assert number is None or verdict["firstBroken"] == number, verdict
    done = service.ctl("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.startswith(f"Broken at record {verdict['firstBroken']}: "), done.stdout
    return verdict


# --- the database

def test_intact(trail, database):
    verdict = trail.local().call("auditlog.verify")
    query = trail.local().call("auditlog.query")
    assert verdict["intact"] and verdict["reason"] == "" and verdict["problem"] == ""
    assert verdict["checked"] == query["numEvents"] == database.last()
    assert verdict["signedUpTo"] == query["headIndex"] == database.last() - 5
    assert verdict["rollback"] == "ruledOut" and verdict["heads"] >= 2
    done = trail.ctl("audit", "verify")
    assert done.returncode == 0 and done.stdout.startswith("Intact: "), done.stdout


def test_hash_of_records(database):
    """They are what the documentation says; else the tests below show nothing."""
    rows = database.run(f"SELECT number, happened_at, hash, format, {', '.join(TEXTS)} "
                        "FROM audit ORDER BY number")
    ((previous,),) = database.run("SELECT anchor FROM audit_chain")
    for number, at, digest, record_format, *texts in rows:
        assert record_format == 2
        assert digest == record_hash(previous, number, at, texts)
        previous = digest


@pytest.mark.parametrize("column", [*TEXTS, "happened_at", "format", "hash"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_column_is_changed(trail, database, column, place):
    number = {"first": 1, "middle": 12, "last": database.last()}[place]
    change = {"happened_at": "happened_at + 1", "format": "3 - format",
              "hash": "zeroblob(32)"}.get(column, f"{column} || 'x'")
    database.run(f"UPDATE audit SET {column} = {change} WHERE number = ?", number)
    check_found(trail, number, "changed", "unreadable", "moved", "inserted")


@pytest.mark.parametrize("sql, place, reasons", [
    ("DELETE FROM audit WHERE number = 12", 12, {"missing"}),
    ("DELETE FROM audit WHERE number = 1", 1, {"missing"}),
    ("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)", -1, {"missing"}),
    ("DELETE FROM audit WHERE number BETWEEN 3 AND 20", 3, {"missing"}),
    ("DELETE FROM audit", 1, {"missing"}),
    ("UPDATE audit SET number = number + 1000 WHERE number = 12", 12, {"missing"}),
    ("INSERT INTO audit SELECT number + 1, happened_at, module, severity, user_name, peer, event, "
     "detail, hash, format, via FROM audit WHERE number = (SELECT max(number) FROM audit)", -2,
     {"inserted", "end"}),
    ("UPDATE audit_chain SET last_number = last_number - 3", None, {"end", "inserted"}),
    ("UPDATE audit_chain SET first_number = first_number + 1", None, {"end", "inserted"}),
    ("UPDATE audit_chain SET anchor = randomblob(32)", 1, {"end", "changed", "rewritten"}),
    ("UPDATE audit_chain SET last_hash = randomblob(32)", -1, {"end"}),
    ("DELETE FROM audit_chain", None, {"end", "inserted"}),
])
def test_records_are_removed_or_added(trail, database, sql, place, reasons):
    last = database.last()
    number = {None: None, -1: last, -2: last + 1}.get(place, place)
    database.run(sql)
    check_found(trail, number, *reasons)


def test_a_record_is_put_in_between(trail, database):
    """The others move up."""
    last = database.last()
    with database.open() as db:
        for number in range(last, 11, -1):
            db.execute("UPDATE audit SET number = number + 1 WHERE number = ?", (number,))
        db.execute("CREATE TEMP TABLE one AS SELECT * FROM audit WHERE number = 5")
        db.execute("UPDATE one SET number = 12")
        db.execute("INSERT INTO audit SELECT * FROM one")
        db.execute("UPDATE audit_chain SET last_number = last_number + 1")
    check_found(trail, 12, "inserted", "changed", "moved")


@pytest.mark.parametrize("one, other", [(11, 12), (5, 30)])
def test_two_records_change_places(trail, database, one, other):
    with database.open() as db:
        db.execute("UPDATE audit SET number = -1 WHERE number = ?", (one,))
        db.execute("UPDATE audit SET number = ? WHERE number = ?", (one, other))
        db.execute("UPDATE audit SET number = ? WHERE number = -1", (other,))
    check_found(trail, one, "moved")


@pytest.mark.parametrize("start", [1, 12, 25])
def test_rewritten_with_good_hashes(trail, database, start):
    """Whoever knows how hashes are made makes the chain sound again; the signed
    heads do not fit any more."""
    database.run("UPDATE audit SET user_name = 'eve' WHERE number = ?", start)
    database.rehash(start)
    verdict = check_found(trail, None, "rewritten")
    assert verdict["firstBroken"] <= start
    assert verdict["checked"] == database.last()


def test_front_cut_off_with_a_good_anchor(trail, database):
    """As the service would do it, but for its record of the deletion."""
    with database.open() as db:
        ((anchor,),) = db.execute("SELECT hash FROM audit WHERE number = 10").fetchall()
        db.execute("DELETE FROM audit WHERE number <= 10")
        db.execute("UPDATE audit_chain SET first_number = 11, anchor = ?", (anchor,))
    check_found(trail, 1, "missing")


def test_end_cut_off_with_a_good_end(trail, database):
    """Down into what a head attests."""
    headed = trail.local().call("auditlog.query")["headIndex"]
    with database.open() as db:
        ((hash_,),) = db.execute(
            "SELECT hash FROM audit WHERE number = ?", (headed - 2,)).fetchall()
        db.execute("DELETE FROM audit WHERE number > ?", (headed - 2,))
        db.execute("UPDATE audit_chain SET last_number = ?, last_hash = ?",
                   (headed - 2, hash_))
    check_found(trail, headed - 1, "end", "missing")


@pytest.mark.parametrize("sql, reasons", [
    ("UPDATE audit_head SET value = CAST(substr(value, 1, 30) || x'ff' || substr(value, 32) "
     "AS BLOB)",
     {"headSignature"}),
    ("UPDATE audit_head SET value = substr(value, 1, length(value) - 1)",
     {"headSignature"}),
    ("UPDATE audit_head SET record = record - 1", {"headSignature", "rewritten"}),
    ("DELETE FROM audit_head WHERE counter = (SELECT max(counter) FROM audit_head)",
     {"rolledBack"}),
    ("DELETE FROM audit_head WHERE counter = (SELECT max(counter) - 1 FROM audit_head)",
     {"rolledBack", "missing"}),
    ("DELETE FROM audit_head", {"rolledBack"}),
])
def test_heads_are_changed(trail, database, sql, reasons):
    database.run(sql)
    check_found(trail, None, *reasons)


def forged_head(database, key, counter, record):
    """A head as the service would write it, by a key of our own."""
    ((hash_, at),) = database.run(
        "SELECT hash, happened_at FROM audit WHERE number = ?", record)
    ((first, anchor),) = database.run("SELECT first_number, anchor FROM audit_chain")
    public = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    digest = hashes.Hash(hashes.SHA1())
    digest.update(public)
    signed = head_bytes(counter, record, hash_, first, anchor, at, digest.finalize())
    return signed + key.sign(signed, ec.ECDSA(hashes.SHA256()))


def test_everything_forged_with_another_key(trail, database):
    """Records, hashes, heads and the key beside them."""
    key = ec.generate_private_key(ec.SECP256R1())
    database.run("UPDATE audit SET user_name = 'eve' WHERE number = 12")
    database.rehash(12)
    for counter, record in database.run("SELECT counter, record FROM audit_head"):
        database.run("UPDATE audit_head SET value = ? WHERE counter = ?",
                     forged_head(database, key, counter, record), counter)
    database.run("UPDATE audit_key SET spki = ?", key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    check_found(trail, None, "headSignature")


def test_an_older_database_is_put_back(make_service):
    """While the service is stopped. It goes on, and says so."""
    service = make_service()
    fill_name = "walker"
    service.local().call("user.add", userName=fill_name, password="Right pass 1",
                         forceChange=False)
    service.stop()
    (path,) = service.state.glob("**/sealbridge.db")
    older = service.state.parent / "older"
    older.mkdir()
    files = [p for p in path.parent.iterdir() if p.name.startswith("sealbridge.db")]
    for file in files:
        shutil.copy2(file, older)
    service.start()
    service.local().call("user.delete", userName=fill_name)
    service.local().call("auditlog.export")
    assert service.local().call("auditlog.verify")["intact"]
    service.stop()
    for file in path.parent.iterdir():
        if file.name.startswith("sealbridge.db"):
            file.unlink()
    for file in older.iterdir():
        shutil.copy2(file, path.parent)
    service.start()
    verdict = check_found(service, None, "rolledBack")
    assert verdict["rollback"] == "detected"


def test_deletion_keeps_the_trail_verifiable(make_service):
    service = make_service()
    api = service.local()
    api.call("user.add", userName="walker", password="Right pass 1", forceChange=False)
    fill(service, 20)
    before = api.call("auditlog.query")
    assert api.call("auditlog.delete", deleteIndex=before["firstIndex"])["deleted"] == 0
    done = service.ctl("--json", "audit", "delete", "--before", "15")
    assert done.returncode == 0 and json.loads(done.stdout) == {"deleted": 14}
    after = api.call("auditlog.query")
    assert after["firstIndex"] == 15 and after["lastIndex"] == before["lastIndex"] + 1
    event = api.call("auditlog.enumerate", newestFirst=True, numEvents=1)["events"][0]
    assert event["event"] == "auditLogDeleted"
    assert event["fields"] == {"deleted": "14", "first": "1", "last": "14"}
    assert api.call("auditlog.verify")["intact"]
    # Everything, and what comes after it.
    assert api.call("auditlog.delete", deleteIndex=2**31 - 1)["deleted"] == after["numEvents"]
    assert api.call("auditlog.query")["numEvents"] == 1
    assert api.call("auditlog.verify")["intact"]
    fill(service, 3)
    assert api.call("auditlog.verify")["intact"]
    service.stop()
    service.start()
    assert service.local().call("auditlog.verify")["intact"]


def test_without_the_token(make_service, tmp_path):
    """Reading, verifying and exporting go on; nothing is deleted without a head."""
    service = make_service()
    key = service.local().call("auditlog.query")["publicKey"]
    (tmp_path / "key.pem").write_text(key)
    service.stop()
    tokens, away = service.state / "tokens", service.state / "tokens.away"
    tokens.rename(away)
    tokens.mkdir(mode=0o700)
    service.start_bare()
    api = service.local()
    assert api.call("auditlog.query")["publicKey"] == key
    verdict = api.call("auditlog.verify")
    assert verdict["intact"] and verdict["rollback"] == "tokenUnavailable", verdict
    before = api.call("auditlog.query")
    with pytest.raises(xmlrpc.client.Fault) as caught:
        api.call("auditlog.delete", deleteIndex=3)
    assert caught.value.faultCode == 1006 and "nothing was deleted" in caught.value.faultString
    after = api.call("auditlog.query")
    assert after["firstIndex"] == before["firstIndex"] == 1
    assert api.call("auditlog.enumerate", filter={"event": "auditLogDeleted"})["events"] == []
    done = service.ctl("audit", "export", tmp_path / "trail.xml")
    assert done.returncode == 0
    verdict = json.loads(verify(tmp_path, None, "key.pem", "--json").stdout)
    assert verdict["intact"] and verdict["unsigned"] > 0
    service.stop()
    tokens.rmdir()
    away.rename(tokens)
    service.start()
    assert service.local().call("auditlog.delete", deleteIndex=3)["deleted"] == 2
    verdict = service.local().call("auditlog.verify")
    assert verdict["intact"] and verdict["rollback"] == "ruledOut", verdict


# --- the exported document, elsewhere

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


def verify(place, text=None, key="key.pem", *options):
    """On another machine: no environment, no socket, no state, no token."""
    file = "trail.xml"
    if text is not None:
        file = "changed.xml"
        (place / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("env", "-i", BUILD / "sealbridgectl", *options, "audit", "verify",
               "--file", file, *(["--key", key] if key else []), cwd=place)


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


def test_export_to_nowhere(trail, tmp_path):
    """A file is there whole or not at all."""
    done = trail.ctl("audit", "export", tmp_path / "none" / "trail.xml")
    assert done.returncode == 1 and "none" in done.stderr
    done = trail.ctl("audit", "export", "/dev/full")
    assert done.returncode == 1 and "/dev/full" in done.stderr
    assert pathlib.Path("/dev/full").is_char_device()
    whole = trail.ctl("audit", "export")
    assert whole.returncode == 0 and whole.stdout.endswith("</auditLog>\n")
