# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of an installation with two accounts: what its unit does before the
token server starts, on a real SoftHSM token in a place of the test's own."""

import fcntl
import os
import pathlib
import re
import shlex
import shutil
import tempfile

import pytest

from sealbridge_service import BUILD, SOFTHSM_MODULE, SOURCE, run

UNIT = BUILD / "dist" / "systemd" / "sealbridge-token.service"


def option_of(command, name):
    return command[command.index(name) + 1]


def start_pre():
    """The command of the unit, as words."""
    text = UNIT.read_text().replace("\\\n", " ")
    lines = re.findall(r"^ExecStartPre=(.*)$", text, re.M)
    assert len(lines) == 1
    return shlex.split(lines[0])


class Token:
    def __init__(self, directory):
        self.directory = directory
        self.lock = directory / "token.lock"
        self.env = {**os.environ, "SOFTHSM2_CONF": str(directory / "softhsm2.conf")}
        command = start_pre()
        place = os.path.dirname(option_of(command, "--softhsm-config"))
        assert option_of(command, "--state") == place
        lock = option_of(command, "--lock-file")
        self.command = [str(BUILD / "sealbridge-token-init"), *(
            word.replace(place, str(directory)).replace(lock, str(self.lock))
            for word in command[1:])]

    def provision(self, *more):
        return run(SOURCE / "hsm-config" / "provision-token", "--directory", self.directory,
                   *more, env={**os.environ, "SEALBRIDGE_BUILD": str(BUILD)})

    def prepare(self):
        return run(*self.command)

    @property
    def object(self):
        (found,) = self.directory.glob("tokens/*/token.object")
        return found

    def tool(self, *args):
        pin = (self.directory / "secrets" / "token.pin").read_text().strip()
        return run("pkcs11-tool", "--module", SOFTHSM_MODULE, "--token-label", "sealbridge",
                   "--login", "--pin", pin, *args, env=self.env)


@pytest.fixture
def token(tmp_path):
    token = Token(tmp_path / "token")
    done = token.provision()
    assert done.returncode == 0, done.stderr
    done = token.tool("--keypairgen", "--key-type", "EC:prime256v1", "--id", "77",
                      "--label", "kept")
    assert done.returncode == 0, done.stderr
    return token


def test_all_name_one_lock():
    lock = option_of(start_pre(), "--lock-file")
    conf = (BUILD / "dist" / "sealbridge.conf").read_text()
    tmpfiles = (BUILD / "dist" / "sealbridge.tmpfiles").read_text()
    assert re.search(rf"^lock-file = {re.escape(lock)}$", conf, re.M)
    assert re.search(rf"^f {re.escape(lock)} 0640 sealbridge-token sealbridge$", tmpfiles, re.M)
    directory = re.escape(os.path.dirname(lock))
    # the service cannot make files there
    for name in "sets", "audit":
        assert re.search(rf"^f {re.escape(lock)}\.{name} 0600 sealbridge sealbridge$", tmpfiles,
                         re.M)
    assert re.search(rf"^d {directory} 0750 sealbridge-token sealbridge$", tmpfiles, re.M)
    assert not re.search(r"@\w+@", UNIT.read_text() + conf + tmpfiles)


@pytest.mark.parametrize("damage", [b"", b"\0" * 8, None], ids=["empty", "zeros", "cut"])
def test_mended_before_the_start(token, damage):
    done = token.prepare()
    assert done.returncode == 0 and done.stderr == ""
    whole = token.object.read_bytes()
    token.object.write_bytes(whole[:100] if damage is None else damage)
    assert token.tool("--list-objects").returncode != 0
    done = token.prepare()
    assert done.returncode == 0 and "the backup was put back" in done.stderr
    assert token.object.read_bytes() == whole
    assert "kept" in token.tool("--list-objects", "--type", "privkey").stdout
    assert (token.object.stat().st_mode & 0o777) == 0o600
    assert token.prepare().stderr == ""


def test_damaged_without_a_backup(token):
    token.object.write_bytes(b"")
    for _ in range(2):
        done = token.prepare()
        assert done.returncode == 1
        assert "token.object is damaged and there is no backup" in done.stderr
    assert token.object.read_bytes() == b""


def test_waits_for_the_lock(token):
    """Somebody logs in: nothing is looked at meanwhile."""
    token.prepare()
    token.object.write_bytes(b"")
    with open(token.lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = token.prepare()
    assert done.returncode == 1 and "held by another process" in done.stderr
    assert token.object.read_bytes() == b""
    assert token.prepare().returncode == 0 and token.object.read_bytes() != b""


def test_lock_that_others_can_only_read(token):
    """The account that does not own the lock file locks it all the same."""
    token.lock.chmod(0o440)
    assert token.prepare().returncode == 0


def test_mended_by_the_account_of_the_token():
    """Its files may belong to a group that the account is not in."""
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as name:
        place = pathlib.Path(name)
        token = Token(place / "token")
        assert token.provision().returncode == 0
        program = shutil.copy(token.command[0], place)
        prefix = []
        if os.geteuid() == 0:
            place.chmod(0o755)
            run("chown", "-R", "65534:0", token.directory)
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for content in None, b"":
            if content is not None:
                token.object.write_bytes(content)
            done = run(*prefix, program, *token.command[1:])
            assert done.returncode == 0, done.stderr
        assert token.object.read_bytes() != b""
        assert token.tool("--list-objects").returncode == 0


@pytest.mark.parametrize("arguments", [
    ["--guard"], ["--guard", "--state", "/tmp"],
    ["--guard", "--softhsm-config", "c", "--state", "s", "--label", "x"],
    ["--softhsm-config", "c", "--state", "s"],
    ["--guard", "--softhsm-config", "c", "--state", "s", "more"]])
def test_usage(arguments):
    done = run(BUILD / "sealbridge-token-init", *arguments)
    assert done.returncode == 2 and "usage:" in done.stderr


def test_provisioner_holds_the_lock_of_both(tmp_path):
    token = Token(tmp_path / "token")
    lock = tmp_path / "shared.lock"
    done = token.provision("--lock-file", lock)
    assert done.returncode == 1 and "systemd-tmpfiles" in done.stderr
    lock.touch()
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = token.provision("--lock-file", lock)
    assert done.returncode == 1 and "held by another process" in done.stderr
    done = token.provision("--lock-file", lock)
    assert done.returncode == 0, done.stderr
    assert not token.lock.exists()
