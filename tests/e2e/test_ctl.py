# SPDX-License-Identifier: GPL-3.0-or-later
"""sealbridgectl, and who may use the control socket."""

import json
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import time

import pytest

from certificates import Authority, pem
from sealbridge_service import BUILD, run


def ok(service, *args, **options):
    done = service.ctl(*args, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.sanitized
def test_status(service):
    text = ok(service, "status")
    for words in ("Version:", "Token:", "ready", "Certificate:", "Expires:"):
        assert words in text
    parts = json.loads(ok(service, "--json", "status"))
    assert parts["token"]["state"] == "ready"
    assert parts["certificate"]["local"]["keyStatus"] == "matches"


@pytest.mark.sanitized
def test_call(service):
    assert "model:" in ok(service, "call", "device.query")
    assert json.loads(ok(service, "--json", "call", "device.query"))["model"]
    assert "device.query" in ok(service, "call", "system.listMethods")
    assert json.loads(ok(service, "--json", "call", "session.query"))["via"] == "local"


def test_exit_status(service, tmp_path):
    cases = [
        (["call", "no.such"], 1, "method not supported"),
        (["call", "user.delete", "userName=nobody"], 1, "1009"),
        (["call", "user.delete", "userName"], 2, "has no ="),
        (["call", "user.add", "userName=@/nowhere"], 2, "/nowhere"),
        (["call"], 2, "too few"),
        (["nonsense"], 2, "usage:"),
        (["user"], 2, "usage:"),
        (["user", "frobnicate"], 2, "usage:"),
        (["--frobnicate", "status"], 2, "usage:"),
        (["certificate", "upload"], 2, "too few"),
        (["certificate", "upload", "/nowhere"], 1, "/nowhere"),
        (["certificate", "request", "00", "x=y"], 2, "neither"),
        (["certificate", "generate", "rsa512"], 1, ""),
    ]
    for args, code, words in cases:
        done = service.ctl(*args)
        assert done.returncode == code, (args, done)
        assert words in done.stderr, (args, done)
        assert done.stdout == "", (args, done)
    done = run(BUILD / "sealbridgectl", "--socket", tmp_path / "none", "status")
    assert done.returncode == 69
    done = run(BUILD / "sealbridgectl", "-c", tmp_path / "none.conf", "status")
    assert done.returncode == 1 and "none.conf" in done.stderr
    assert run(BUILD / "sealbridgectl", "--help").returncode == 0
    assert run(BUILD / "sealbridgectl", "-V").stdout.startswith("sealbridgectl ")


def test_socket_named_by_configuration(service):
    done = run(BUILD / "sealbridgectl", "-c", service.state / "sealbridge.conf", "status")
    assert done.returncode == 0, done.stderr


@pytest.mark.sanitized
def test_certificate_born_in_the_token(service, tmp_path):
    from cryptography import x509
    key_id = ok(service, "certificate", "generate", "ecP256").strip()
    assert int(key_id, 16)
    request = x509.load_pem_x509_csr(ok(
        service, "certificate", "request", key_id, "cn=box.example", "o=Example",
        "DNS:box.example", "IP:127.0.0.1").encode())
    file = tmp_path / "signed.pem"
    file.write_text(pem(Authority().issue(request.public_key(), "box.example")))
    ok(service, "certificate", "upload", file)
    assert "CN=box.example" in ok(service, "certificate", "show")
    ok(service, "certificate", "activate")
    ok(service, "certificate", "delete")
    ok(service, "certificate", "activate")


def test_users_with_password_file(service, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("from A file 1\n")
    secret.chmod(0o600)
    ok(service, "user", "add", "filed", "--name", "From File", "--privilege", "administrator",
       "--password-file", secret)
    assert "From File" in ok(service, "user", "list")
    names = [u["userName"] for u in json.loads(ok(service, "--json", "user", "list"))["users"]]
    assert {"admin", "guest", "filed"} <= set(names)
    assert service.api("filed", "from A file 1").call("session.query")["userName"] == "filed"
    secret.chmod(0o644)
    done = service.ctl("user", "password", "filed", "--password-file", secret)
    assert done.returncode == 1 and "others may read" in done.stderr
    ok(service, "user", "delete", "filed")


def on_terminal(service, args, answers):
    """Run on a terminal of its own; answer each question; text and status."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(BUILD / "sealbridgectl",
                 ["sealbridgectl", "--socket", str(service.control_socket), *args])
    shown = b""
    answers = list(answers)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.2)
        if not ready:
            continue
        try:
            chunk = os.read(master, 4096)
        except OSError:
            break
        shown += chunk
        if shown.endswith((b": ", b"bridge> ", b"bridge# ")) and answers:
            os.write(master, answers.pop(0).encode() + b"\n")
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    return shown.decode(), os.waitstatus_to_exitcode(status)


def piped_console(service, text, *args):
    return service.ctl(*args, "console", input=text)


def test_console_reads_commands(service):
    done = piped_console(service, "# what follows is two commands\ntoken show\n\n"
                                  "call system.methodHelp 'methodName=token.query'")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "sealbridge" in done.stdout and "State" in done.stdout
    for text, complaint in ((("bogus\n"), "no such command"), ("call 'x\n", "has no end"),
                            ("console\n", "no such command"), ("x" * 9000 + "\n", "more than"),
                            ("a " * 65 + "\n", "more than")):
        done = piped_console(service, text)
        assert done.returncode != 0 and complaint in done.stderr, text
    # The last command decides, and nothing is read behind "quit".
    assert piped_console(service, "bogus\nstatus\nquit\nbogus\n").returncode == 0
    assert piped_console(service, "").returncode == 0
    assert service.ctl("console", "more").returncode == 2


def test_console_asks_for_a_login(service):
    service.local().call("user.add", userName="konsole", password="Typed 1 pass", privilege="administrator",
                         forceChange=False)
    service.local().call("user.add", userName="lesser", password="Typed 2 pass",
                         privilege="conference creation", forceChange=False)
    service.local().call("security.modify", requireLogin=True)
    try:
        text, code = on_terminal(service, ["console"], ["", "token show", "quit"])
        assert "needed" in text and "Not logged in" in text and code == 1, text
        text, code = on_terminal(service, ["console"], [
            "konsole", "wrong", "lesser", "Typed 2 pass", "konsole", "Typed 1 pass",
            "token show", "quit"])
        assert code == 0 and "sealbridge# " in text, text
        assert "insufficient" in text and "Typed" not in text
        assert "ready" in text
        # Nobody types: the user comes with the command line.
        assert "needed" in piped_console(service, "token show\n").stderr
        done = service.ctl("user", "list")
        assert done.returncode == 1
    finally:
        service.local().call("security.modify", requireLogin=False, authenticationUser="konsole",
                             authenticationPassword="Typed 1 pass")
    ok(service, "user", "delete", "konsole")
    ok(service, "user", "delete", "lesser")


def test_users_with_prompt(service):
    text, code = on_terminal(service, ["user", "add", "typed", "--privilege", "administrator"],
                             ["typed Pass 1", "typed Pass 1"])
    assert code == 0, text
    assert "typed Pass" not in text  # no echo
    assert service.api("typed", "typed Pass 1").call("session.query")["userName"] == "typed"
    text, code = on_terminal(service, ["user", "password", "typed"], ["one", "two"])
    assert code == 1 and "differ" in text
    ok(service, "user", "delete", "typed")
    done = service.ctl("user", "add", "typed", start_new_session=True)
    assert done.returncode == 1 and "--password-file" in done.stderr


def test_types_follow_the_method(service):
    """Booleans and integers go out as what the method declares."""
    secret = "call Pass 1"
    ok(service, "call", "user.add", "userName=12345", "password=@-", "disabled=yes",
       "privilege=administrator", input=secret)
    rows = {u["userName"]: u for u in json.loads(ok(service, "--json", "user", "list"))["users"]}
    assert rows["12345"]["disabled"] is True
    done = service.ctl("call", "user.modify", "userName=12345", "disabled=perhaps")
    assert done.returncode == 2 and "not a boolean" in done.stderr
    ok(service, "user", "delete", "12345")


# --- the socket

def test_socket_mode(service):
    mode = service.control_socket.stat()
    assert stat.S_ISSOCK(mode.st_mode)
    assert stat.S_IMODE(mode.st_mode) == 0o660
    assert (service.state / "secrets").stat().st_mode & 0o077 == 0


def another_user_is_nobody(make_service):
    """Whoever is neither root nor of the service's group has no rights there,
    even when the socket's mode lets him connect."""
    service = make_service()
    for folder in [service.state, *service.state.parents]:
        if str(folder).startswith("/tmp/sb-"):
            folder.chmod(0o755)
    service.control_socket.chmod(0o666)
    program = (
        "import socket,sys,os\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "b=b'<?xml version=\"1.0\"?><methodCall><methodName>token.query</methodName></methodCall>'\n"
        "s.sendall(b'POST /RPC2 HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: text/xml\\r\\n'\n"
        "          b'Connection: close\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(b) + b)\n"
        "r=b''\n"
        "while True:\n"
        "    c=s.recv(4096)\n"
        "    if not c: break\n"
        "    r+=c\n"
        "print(r.decode())\n")
    done = run("/usr/bin/python3", "-c", program, service.control_socket)
    assert done.returncode == 0, done.stderr
    assert "<int>14</int>" in done.stdout, done.stdout


if os.geteuid() == 0:  # nobody else can become another user
    test_another_user_is_nobody = another_user_is_nobody


def test_stale_socket_is_replaced(make_service):
    service = make_service()
    service.kill()
    assert service.control_socket.exists()
    service.start()
    ok(service, "status")


def test_raw_http_on_the_socket(service):
    """Pages are not for the socket's users, but speaking HTTP badly hurts
    nobody."""
    for request in (b"\r\n\r\nx", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(service.control_socket))
            s.settimeout(20)
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            try:
                while s.recv(4096):
                    pass
            except ConnectionError:
                pass
    ok(service, "status")


def test_output_that_cannot_be_written(service):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [BUILD / "sealbridgectl", "--socket", service.control_socket, "status"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "standard output" in done.stderr
