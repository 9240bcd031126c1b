# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit trail as whoever tampers with it sees it: the database and the
exported document, and what their hashes are made of, written independently of
the product."""

import calendar
import contextlib
import hashlib
import re
import sqlite3
import struct
import time
import xml.etree.ElementTree as ElementTree

from sealbridge_service import BUILD, run

TABLES = ("audit", "audit_chain", "audit_head", "audit_key")
TEXTS = ("module", "severity", "user_name", "peer", "via", "event", "detail")


def fill(service, count, name="walker"):
    """Leaves so many records."""
    api = service.local()
    for n in range(count):
        api.call("user.modify", userName=name, name=f"Walker {n} <&> \"é\"")


def verify(place, text=None, key="key.pem", *options):
    """Of an exported document in that folder, as on another machine: no environment,
    no socket, no state, no token."""
    file = "trail.xml"
    if text is not None:
        file = "changed.xml"
        (place / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("env", "-i", BUILD / "sealbridgectl", *options, "audit", "verify",
               "--file", file, *(["--key", key] if key else []), cwd=place)


def record_hash(previous, number, at, texts, record_format=2):
    """texts as TEXTS; in format 1 without via."""
    data = b"sealbridge audit %d\0" % record_format + previous
    data += struct.pack(">Qq", number, at)
    for text in texts:
        raw = text.encode()
        data += struct.pack(">I", len(raw)) + raw
    return hashlib.sha256(data).digest()


def head_bytes(counter, record, hash_, first, anchor, at, key_id):
    return (b"sealbridge audit head 1\0" + struct.pack(">QQ", counter, record) + hash_
            + struct.pack(">Q", first) + anchor + struct.pack(">q", at) + key_id)


class Database:
    """The audit tables of a service, to be tampered with and put back."""

    def __init__(self, state):
        (self.path,) = state.glob("**/sealbridge.db")

    @contextlib.contextmanager
    def open(self):
        db = sqlite3.connect(self.path, timeout=20)
        try:
            with db:
                yield db
        finally:
            db.close()

    def run(self, sql, *values):
        with self.open() as db:
            return db.execute(sql, values).fetchall()

    def save(self):
        with self.open() as db:
            return {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in TABLES}

    def put_back(self, saved):
        with self.open() as db:
            for table, rows in saved.items():
                db.execute(f"DELETE FROM {table}")
                for row in rows:
                    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})",
                               row)

    def last(self):
        return self.run("SELECT max(number) FROM audit")[0][0]

    def rehash(self, start):
        """Make the chain sound again from that record on, as somebody who knows
        how it is made."""
        with self.open() as db:
            ((previous,),) = db.execute(
                "SELECT hash FROM audit WHERE number = ?", (start - 1,)).fetchall() or (
                    db.execute("SELECT anchor FROM audit_chain").fetchall())
            rows = db.execute(
                f"SELECT number, happened_at, {', '.join(TEXTS)} FROM audit "
                "WHERE number >= ? ORDER BY number", (start,)).fetchall()
            for number, at, *texts in rows:
                previous = record_hash(previous, number, at, texts)
                db.execute("UPDATE audit SET hash = ? WHERE number = ?", (previous, number))
            db.execute("UPDATE audit_chain SET last_number = ?, last_hash = ?",
                       (rows[-1][0], previous))


class Document:
    """An exported trail as lines of text: one record, one head a line."""

    def __init__(self, text):
        self.lines = text.splitlines(keepends=True)

    def text(self):
        return "".join(self.lines)

    def copy(self):
        return Document(self.text())

    def root(self):
        return ElementTree.fromstring(self.text())

    def at(self, number):
        """The line of that record."""
        (found,) = [i for i, line in enumerate(self.lines)
                    if line.startswith(f'<record index="{number}" ')]
        return found

    def heads(self):
        """Lines of heads."""
        return [i for i, line in enumerate(self.lines) if line.startswith("<head ")]

    def change(self, line, pattern, replacement):
        changed = re.sub(pattern, replacement, self.lines[line], count=1)
        assert changed != self.lines[line], (pattern, self.lines[line])
        self.lines[line] = changed

    def change_root(self, pattern, replacement):
        self.change(1, pattern, replacement)

    def rehash(self, start):
        """As Database.rehash(), records of format 2."""
        root = self.root()
        previous = bytes.fromhex(root.get("anchor"))
        for record in root.iter("record"):
            number = int(record.get("index"))
            if number >= start:
                texts = [record.findtext(name) for name in
                         ("module", "severity", "userName", "peer", "via", "event")]
                texts.append("\n".join(
                    f"{field.get('name')}={field.text or ''}" for field in record.iter("field")))
                at = self.seconds(record.get("time"))
                digest = record_hash(previous, number, at, texts).hex()
                self.change(self.at(number), ' hash="[0-9a-f]+"', f' hash="{digest}"')
                previous = bytes.fromhex(digest)
            else:
                previous = bytes.fromhex(record.get("hash"))

    @staticmethod
    def seconds(text):
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
