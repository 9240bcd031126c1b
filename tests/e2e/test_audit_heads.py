# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log signed by the token: what SQL and old copies cannot hide."""

import shutil
import sqlite3

import pytest

from sealbridge_service import run, wait_for

HEAD = "sealbridge audit head"
KEY = "sealbridge audit key"


def database(service):
    return service.state / "sealbridge.db"


def sql(service, *statements):
    with sqlite3.connect(database(service), timeout=20) as db:
        for statement in statements:
            db.execute(statement)


def heads(service):
    with sqlite3.connect(database(service), timeout=20) as db:
        return db.execute("SELECT counter, record FROM audit_head ORDER BY counter").fetchall()


def verdict(service):
    return service.local().call("auditlog.verify")


def wait_for_head(service, count=1):
    """Signed at the start, in a thread of its own."""
    return wait_for(lambda: len(heads(service)) >= count and heads(service), what="a signed head")


def restart(service):
    """With the head of the start signed."""
    service.stop()
    before = len(heads(service))
    service.start()
    wait_for_head(service, before + 1)


@pytest.fixture
def signed(fresh_service):
    wait_for_head(fresh_service)
    return fresh_service


def test_signed_at_start_and_end(signed):
    first = heads(signed)[-1]
    key = signed.local().call("auditlog.query")["publicKey"]
    assert key.startswith("-----BEGIN PUBLIC KEY-----\n")
    done = run("openssl", "pkey", "-pubin", "-noout", "-text", input=key)
    assert "prime256v1" in done.stdout or "P-256" in done.stdout
    signed.local().call("user.add", userName="walker", password="Right pass 1",
                        forceChange=False)
    signed.stop()
    last = heads(signed)[-1]
    assert last[0] > first[0] and last[1] > first[1]
    with sqlite3.connect(database(signed)) as db:
        assert db.execute("SELECT max(number) FROM audit").fetchone()[0] == last[1]
    before = len(heads(signed))
    signed.start()
    wait_for_head(signed, before + 1)
    found = verdict(signed)
    assert found["intact"] and found["rollback"] == "ruledOut" and found["heads"] >= 2, found
    assert signed.local().call("auditlog.query")["publicKey"] == key
    # The object is made anew behind the row.
    wait_for(lambda: signed.pkcs11_tool("--list-objects").count(f"'{HEAD}'") == 1,
             what="the one head in the token")
    assert signed.pkcs11_tool("--list-objects").count(KEY) == 2  # both halves of one pair


def test_older_database_is_found(signed):
    signed.stop()
    shutil.copytree(signed.state, signed.state.parent / "older")
    older = signed.state.parent / "older"
    signed.start()
    signed.local().call("user.add", userName="mallory", password="Right pass 1",
                        forceChange=False)
    signed.stop()
    for name in "sealbridge.db", "sealbridge.db-wal", "sealbridge.db-shm":
        (signed.state / name).unlink(missing_ok=True)
        if (older / name).exists():
            shutil.copy2(older / name, signed.state / name)
    signed.start()

    def found():
        event = {"event": "auditLogRolledBack"}
        return signed.local().call("auditlog.enumerate", filter=event)["events"]

    assert len(wait_for(found, what="the record of it", pause=0.5)) == 1
    for _ in range(2):
        result = verdict(signed)
        assert not result["intact"] and result["reason"] == "rolledBack", result
        signed.stop().start()


@pytest.mark.parametrize("statement, reason", [
    ("DELETE FROM audit_head", "rolledBack"),
    ("UPDATE audit_head SET value = zeroblob(212)", "headSignature"),
    ("UPDATE audit_head SET record = record - 1", "headSignature"),
])
def test_heads_by_sql(signed, statement, reason):
    for _ in range(2):
        restart(signed)
    assert verdict(signed)["intact"]
    sql(signed, statement)
    result = verdict(signed)
    assert not result["intact"] and result["reason"] == reason, result
    assert result["problem"]


def test_without_the_token(signed):
    """Signatures are checked by the key last known, and that is said."""
    signed.stop()
    shutil.move(signed.state / "tokens", signed.state / "elsewhere")
    (signed.state / "tokens").mkdir()
    signed.configure("[token]\nrequired = no\n")
    signed.start_bare()
    result = verdict(signed)
    assert result["intact"] and result["rollback"] == "tokenUnavailable", result
    assert result["heads"] >= 1
    before = heads(signed)
    signed.local().call("user.add", userName="walker", password="Right pass 1",
                        forceChange=False)
    wait_for(lambda: "signing the audit log is put off" in signed.log(), what="the log")
    assert signed.log().count("signing the audit log is put off") == 1
    assert heads(signed) == before
    signed.stop()
    (signed.state / "tokens").rmdir()
    shutil.move(signed.state / "elsewhere", signed.state / "tokens")
    signed.start()
    wait_for_head(signed, len(before) + 1)
    result = verdict(signed)
    assert result["intact"] and result["rollback"] == "ruledOut", result
