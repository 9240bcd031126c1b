# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever changes the audit trail in the database is found out, and whoever puts an
older database back."""

import json
import pathlib
import shutil
import xmlrpc.client

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit_trail import TEXTS, Database, fill, head_bytes, record_hash, verify


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


def test_export_to_nowhere(trail, tmp_path):
    """A file is there whole or not at all."""
    done = trail.ctl("audit", "export", tmp_path / "none" / "trail.xml")
    assert done.returncode == 1 and "none" in done.stderr
    done = trail.ctl("audit", "export", "/dev/full")
    assert done.returncode == 1 and "/dev/full" in done.stderr
    assert pathlib.Path("/dev/full").is_char_device()
    whole = trail.ctl("audit", "export")
    assert whole.returncode == 0 and whole.stdout.endswith("</auditLog>\n")
