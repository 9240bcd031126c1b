# SPDX-License-Identifier: GPL-3.0-or-later
"""quickstart: first start, second start, stop; what it leaves and what not."""

import os
import pathlib
import pwd
import signal
import stat
import subprocess
import time

import pytest

from sealbridge_service import BUILD, SOURCE, files_below, process_is_gone, run, wait_for


def test_what_is_printed(make_service):
    service = make_service(start=False)
    done = service.quickstart(*service.start_arguments())
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"web https://127.0.0.1:{service.https}/",
        f"api https://127.0.0.1:{service.https}/RPC2",
        f"sips sips:127.0.0.1:{service.sips}",
        "user admin",
        f"password file {service.state}/secrets/admin-password",
    ]
    assert len(service.admin_password) >= 12


def test_second_start_keeps_and_applies(make_service):
    service = make_service(key="rsa2048")
    certificate = service.wire_certificate()
    password = service.admin_password
    secret = service.state / "p"
    secret.write_text("kept Pass 1\n")
    secret.chmod(0o600)
    done = service.ctl("user", "add", "kept", "--privilege", "administrator",
                       "--password-file", secret)
    assert done.returncode == 0, done.stderr
    service.stop()
    old = service.https
    service.https = service.sip
    # other ports, nothing else said: the rest stays as it was told before
    done = service.quickstart("--background", "--https", service.https, "--sip", old)
    assert done.returncode == 0, done.stderr
    assert f":{service.https}/" in done.stdout
    assert service.wire_certificate() == certificate
    assert service.admin_password == password
    assert service.api("kept", "kept Pass 1").call("session.query")["userName"] == "kept"
    assert service.api(tls=False).call("device.query")
    done = run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{old}")
    assert done.returncode != 0


def test_already_running(service):
    done = service.quickstart(*service.start_arguments())
    assert done.returncode == 1 and "already running" in done.stderr
    assert service.is_running()
    service.wire_certificate()


@pytest.mark.parametrize("isolated", [False, True], ids=["in-process", "isolated"])
def test_stop(make_service, isolated):
    service = make_service(isolated=isolated)
    pids = [service.pid]
    if isolated:
        server = int((service.state / "p11-kit.pid").read_text())
        pids.append(server)
        pids += map(int, pathlib.Path(
            f"/proc/{server}/task/{server}/children").read_text().split())
    service.stop()
    for pid in pids:
        wait_for(lambda p=pid: process_is_gone(p), what=f"the end of process {pid}")
    assert not (service.state / "sealbridged.pid").exists()
    assert not (service.state / "p11-kit.pid").exists()
    # once more: nothing to do is no error
    service.stop()


def test_stop_harms_no_stranger(make_service):
    """A pid file that names somebody else's process, or nonsense."""
    service = make_service()
    service.stop()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        for text in (f"{stranger.pid}\n", str(stranger.pid), "-1\n", "0\n", "1\n", "nonsense\n",
                     "", f"{os.getpid()}\n"):
            for name in "sealbridged.pid", "p11-kit.pid":
                (service.state / name).write_text(text)
            service.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_foreground(make_service):
    service = make_service(start=False, isolated=True)
    arguments = [a for a in service.start_arguments() if a != "--background"]
    process = subprocess.Popen(
        [SOURCE / "quickstart", "--no-install", "--state", service.state, *map(str, arguments)],
        env={**os.environ, "SEALBRIDGE_BUILD": str(BUILD)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    lines = [process.stdout.readline() for _ in range(5)]
    assert lines[0].startswith("web ")
    pid = service.pid
    server = int((service.state / "p11-kit.pid").read_text())
    service.wire_certificate()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert process_is_gone(pid) and process_is_gone(server)


def test_modes_of_files(service):
    for path, status in files_below(service.state):
        mode = status.st_mode
        if stat.S_ISSOCK(mode) or stat.S_ISLNK(mode):
            continue
        assert mode & 0o077 == 0, path
    assert stat.S_IMODE((service.state / "secrets" / "admin-password").stat().st_mode) == 0o600
    assert stat.S_IMODE((service.state / "secrets" / "token.pin").stat().st_mode) == 0o600


@pytest.mark.parametrize("arguments", [
    ["--frobnicate"], ["--https"], ["--https", ""], ["--https", "0"], ["--https", "65536"],
    ["--https", "x"], ["--key", "rsa1024"], ["--background", "--stop"], ["--listen", "host name"],
    ["extra"],
])
def test_usage(tmp_path, arguments):
    done = run(SOURCE / "quickstart", "--no-install", "--state", tmp_path / "s", *arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr and done.stdout == ""
    assert not (tmp_path / "s").exists()


def test_port_in_use(make_service, service):
    """The failure is said, and nothing is left running."""
    other = make_service(start=False, isolated=True)
    other.https = service.https
    started = time.monotonic()
    done = other.quickstart(*other.start_arguments())
    assert done.returncode != 0
    assert str(service.https) in done.stderr
    assert time.monotonic() - started < 110
    assert not (other.state / "sealbridged.pid").exists()
    assert not (other.state / "p11-kit.pid").exists()


def test_killed_and_started_again(make_service):
    for isolated in False, True:
        service = make_service(isolated=isolated)
        certificate = service.wire_certificate()
        for _ in range(2):
            service.kill()
            service.start()
            assert service.wire_certificate() == certificate
        service.stop()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["inside", "elsewhere"])
def test_token_of_another_account(tmp_path, elsewhere):
    """provision-token --owner: the service's account can use all of it."""
    if os.getuid() != 0:
        owner, uid = pwd.getpwuid(os.getuid()).pw_name, os.getuid()
    else:
        owner, uid = "nobody", pwd.getpwnam("nobody").pw_uid
    place = tmp_path / "token"
    command = [SOURCE / "hsm-config" / "provision-token", "--directory", place,
               "--owner", owner]
    if elsewhere:
        command += ["--pin-file", tmp_path / "elsewhere.pin"]
    subprocess.run(command, check=True, capture_output=True, timeout=60,
                   env=dict(os.environ, SEALBRIDGE_BUILD=str(BUILD)))
    assert all(path.stat().st_uid == uid for path in place.rglob("*"))
    assert (place / "secrets" / "token.so-pin").exists()
    if elsewhere:
        pin = tmp_path / "elsewhere.pin"
        assert pin.stat().st_uid == os.getuid()
        assert stat.S_IMODE(pin.stat().st_mode) == 0o600
