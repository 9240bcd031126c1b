# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in arguments, environment, logs or files beyond its own."""

import pathlib
import re

import pytest

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import content_of, free_ports, run, wait_for

KEY_PASSWORD = "Quite-Unmistakable-Key-Password"
USER_PASSWORD = "Unmistakable-User-Password-1"
SIP_PASSWORD = "Unmistakable-Sip-Password-1"


@pytest.fixture(scope="module", params=[False, True], ids=["in-process", "isolated"])
def used(request):
    """A service that has handled every kind of secret."""
    from sealbridge_service import Service
    with Service(isolated=request.param) as service:
        key = new_key("rsa2048")
        service.key_numbers = key.private_numbers()
        api = service.api()
        plain = new_key()
        service.plain_key_line = key_pem(plain).splitlines()[1]
        api.call("certificate.upload", certificate=pem(Authority().issue(plain)),
                 privateKey=key_pem(plain))
        api.call("certificate.upload", certificate=pem(Authority().issue(key)),
                 privateKey=key_pem(key, "pkcs8", KEY_PASSWORD),
                 privateKeyPassword=KEY_PASSWORD)
        api.call("certificate.activate")
        api.call("user.add", userName="someone", password=USER_PASSWORD)
        registrar, = free_ports(1)
        api.call("sip.modify", outboundConfiguration="useRegistrar", userName="bridge",
                 outboundAddress=f"127.0.0.1:{registrar}", password=SIP_PASSWORD)
        wait_for(lambda: api.call("sip.query")["registrationState"] == "failed",
                 what="a registration with nobody")
        with pytest.raises(Exception):
            api.call("sip.modify", password=SIP_PASSWORD + "\n")
        for wrong in (KEY_PASSWORD + "x", "y"):
            with pytest.raises(Exception):
                api.call("certificate.upload", certificate=pem(Authority().issue(key)),
                         privateKey=key_pem(key, "traditional", KEY_PASSWORD),
                         privateKeyPassword=wrong)
        service.wire_certificate()
        yield service


def secrets(service):
    return [KEY_PASSWORD, USER_PASSWORD, service.admin_password,
            (service.state / "secrets" / "token.so-pin").read_text().strip()
            if (service.state / "secrets" / "token.so-pin").exists() else KEY_PASSWORD]


def processes(service):
    pids = [service.pid]
    server = service.state / "p11-kit.pid"
    if server.exists():
        pids.append(int(server.read_text()))
    for pid in list(pids):
        pids += map(int, content_of(pathlib.Path(f"/proc/{pid}/task/{pid}/children")).split())
    return pids


def test_arguments_and_environment(used):
    for pid in processes(used):
        for name in "cmdline", "environ":
            content = content_of(pathlib.Path(f"/proc/{pid}/{name}")).decode(errors="replace")
            assert content or pid != used.pid
            for secret in [*secrets(used), used.pin, SIP_PASSWORD]:
                assert secret not in content, (pid, name)


def test_files(used):
    """Outside secrets/ no file of the state holds one in the clear."""
    needles = [s.encode() for s in secrets(used)]
    numbers = used.key_numbers
    for number in (numbers.d, numbers.p, numbers.q):
        needles.append(number.to_bytes((number.bit_length() + 7) // 8, "big"))
    for path in used.state.rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            content = content_of(path)
            for needle in needles:
                assert needle not in content, path


def test_the_password_of_sip(used):
    """A digest needs it as it is: in the database, which is the service's alone, and
    nowhere else."""
    holders = [path for path in used.state.rglob("*")
               if path.is_file() and SIP_PASSWORD.encode() in content_of(path)]
    assert {path.name for path in holders} <= {"sealbridge.db", "sealbridge.db-wal"}
    assert holders and all(path.stat().st_mode & 0o077 == 0 for path in holders)


def test_memory_of_the_isolated_service(used):
    """Isolated, the process that faces the network holds nothing of an uploaded
    key once the upload is over: no number, no password, no line of the file."""
    if not used.isolated:
        return
    if run("id", "-u").stdout.strip() != "0":
        return
    numbers = used.key_numbers
    needles = []
    for number in (numbers.d, numbers.p, numbers.q):
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        needles += [raw, raw[::-1]]
    needles += [KEY_PASSWORD.encode(), used.plain_key_line.encode()]
    found = []
    maps = pathlib.Path(f"/proc/{used.pid}/maps").read_text()
    with open(f"/proc/{used.pid}/mem", "rb") as memory:
        for line in maps.splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            start, end = int(match[1], 16), int(match[2], 16)
            if "r" not in match[3] or match[4] in ("[vvar]", "[vsyscall]", "[vdso]"):
                continue
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue
            found += [(line, n[:8]) for n in needles if n in content]
    assert not found


def test_no_core_dumps(used):
    limits = pathlib.Path(f"/proc/{used.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)


def test_log_says_what_happened(used):
    log = used.log()
    assert "listening" in log and "in service" in log
