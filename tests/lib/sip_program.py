# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP program of others in a folder of its own: started, watched, ended."""

import os
import signal
import subprocess

from sealbridge_service import wait_for

LOG_SHOWN = 6000  # characters of each log of a program whose test failed


class Program:
    """The process and what it writes. All that it starts ends with it."""

    logs = ()  # names of files in its folder that are shown on failure

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.process = None

    def run(self, *command, **options):
        with open(self.folder / "out", "ab") as out:
            options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out,
                       "cwd": self.folder, "start_new_session": True, **options}
            self.process = subprocess.Popen([str(c) for c in command], **options)

    def text(self, name="out"):
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def said(self):
        """The ends of its logs, for people."""
        return "".join(f"--- {self.folder.name}/{name}\n{self.text(name)[-LOG_SHOWN:]}\n"
                       for name in ("out", *self.logs))

    def wait(self, check, seconds=60, what="the condition"):
        """As wait_for(), but a program that has ended waits for nothing."""
        def watched():
            result = check()
            assert result or self.process.poll() is None, (
                f"{what}: ended with {self.process.returncode}\n{self.said()}")
            return result
        try:
            return wait_for(watched, seconds, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.said()}") from None

    def close(self):
        """Its whole group is told to end: a second time for baresip, which takes
        leave of the other side first, then without asking. What is left of the
        group then (a child of socat that waits for its end of a connection) is
        killed."""
        if not self.process:
            return
        for kind, seconds in (signal.SIGTERM, 1), (signal.SIGTERM, 9), (signal.SIGKILL, 10):
            self._tell(kind)
            try:
                self.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self._tell(signal.SIGKILL)
        assert self.process.returncode is not None, f"{self.folder.name} does not end"

    def _tell(self, kind):
        try:
            os.killpg(self.process.pid, kind)
        except ProcessLookupError:
            pass  # all have ended

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print(self.said())
        self.close()
