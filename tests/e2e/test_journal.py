# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by systemd: events and audit records are entries of its journal."""

import os
import pathlib
import sys

from sealbridge_service import run

HERE = pathlib.Path(__file__).resolve().parent


def test_journal(tmp_path):
    """tests/e2e/journal.py where the journal's socket can be put in place: root
    has a mount namespace of his own, others one in which they are root."""
    options = "-m" if os.geteuid() == 0 else "-rm"
    done = run("unshare", options, sys.executable, "-m", "pytest", "-q", "-p",
               "no:cacheprovider", "--basetemp", tmp_path / "journal", HERE / "journal.py",
               timeout=280)
    print(done.stdout[-20000:], done.stderr[-2000:])
    assert done.returncode == 0
