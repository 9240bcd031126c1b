# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of a test's own, started and ended by ./quickstart.

Used by tests/e2e, tests/browser and tests/bench. The build under test is
$SEALBRIDGE_BUILD, else ./build of the source tree.
"""

import collections
import hashlib
import http.client
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import xmlrpc.client

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEALBRIDGE_BUILD", SOURCE / "build")).resolve()
SOFTHSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"
START_SECONDS = 120


# A port may be bound long after it was chosen.
handed_out = collections.deque(maxlen=2000)


def is_free(port):
    """Neither TCP nor UDP of 127.0.0.1 uses it."""
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        with socket.socket(type=kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Distinct ports, below those the kernel hands out by itself: nobody's connection can
    take one in between, and who connects to one meets nobody, not even itself. None is given
    twice in a while."""
    found = []
    while len(found) < count:
        port = random.randint(20000, 31999)
        if port not in handed_out and is_free(port):
            handed_out.append(port)
            found.append(port)
    return found


def wait_for(check, seconds=60, what="the condition", pause=0.05):
    """Call check until it gives something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(pause)


def run(*args, **options):
    """A command to its end: text out, nothing in, one minute at most."""
    options.setdefault("timeout", 60)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [str(a) for a in args], capture_output=True, text=True, check=False, **options
    )


def process_is_gone(pid):
    """Ended, even when nobody has collected it yet."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def files_below(folder):
    """(path, lstat) of what is there and stays: files come and go while a service runs."""
    for path in folder.rglob("*"):
        try:
            yield path, path.lstat()
        except FileNotFoundError:
            continue


def content_of(path):
    """What a file holds; b"" of one that has gone meanwhile."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over the control socket."""

    def __init__(self, path):
        super().__init__()
        self.path = str(path)

    def make_connection(self, host):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        return connection


class Api:
    """Methods by name, members as keywords: api.call("user.add", userID="x")."""

    def __init__(self, proxy, **always):
        self.proxy = proxy
        self.always = always

    def call(self, method, **members):
        return getattr(self.proxy, method)({**self.always, **members})


class Service:
    """One ./quickstart state directory and, while started, its service."""

    def __init__(self, state=None, *, isolated=False, key="ecP256", listen="127.0.0.1",
                 env=None, configuration=None):
        """env: more environment for quickstart and what it starts.
        configuration: text for conf.d/test.conf."""
        self._temp = None
        if state is None:
            # A process of a token that was killed may still be writing there.
            self._temp = tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp",
                                                     ignore_cleanup_errors=True)
            state = pathlib.Path(self._temp.name) / "state"
        self.state = pathlib.Path(state).resolve()
        self.isolated = isolated
        self.key = key
        self.listen = listen
        self.env = env or {}
        if configuration is not None:
            self.configure(configuration)
        self.http, self.https, self.sip, self.sips = free_ports(4)
        self.printed = {}
        self._process = self._token_server = None

    # --- life

    def quickstart(self, *args, **options):
        return run(
            SOURCE / "quickstart", "--no-install", "--state", self.state, *args,
            env={**os.environ, **self.env, "SEALBRIDGE_BUILD": str(BUILD)},
            timeout=START_SECONDS + 60, **options,
        )

    def configure(self, text):
        """What counts beside quickstart's configuration, from the next start."""
        (self.state / "conf.d").mkdir(parents=True, exist_ok=True)
        (self.state / "conf.d" / "test.conf").write_text(text)

    def start_arguments(self):
        return [
            "--listen", self.listen, "--http", self.http, "--https", self.https,
            "--sip", self.sip, "--sips", self.sips, "--key", self.key,
            "--isolated" if self.isolated else "--in-process", "--background",
        ]

    def start(self, *more):
        done = self.quickstart(*self.start_arguments(), *more)
        if done.returncode != 0:
            raise AssertionError(f"quickstart: {done.returncode}\n{done.stderr}")
        for line in done.stdout.splitlines():
            name, _, value = line.rpartition(" ")
            self.printed[name] = value
        return self

    def start_bare(self):
        """sealbridged on a state that quickstart has made, waiting for nothing
        but the control socket: for tokens that are absent or refuse."""
        with open(self.state / "sealbridged.log", "a") as log:
            process = subprocess.Popen(
                [BUILD / "sealbridged", "-c", self.state / "sealbridge.conf"],
                env={**self.softhsm_env(), **self.env, **self.token_server_env()},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        (self.state / "sealbridged.pid").write_text(f"{process.pid}\n")
        self._process = process  # collected when it ends, at the latest with us

        def answers():
            assert process.poll() is None, self.log()[-2000:]
            return self.ctl("call", "system.listMethods").returncode == 0

        wait_for(answers, 60, "the control socket")
        return self

    def token_server_env(self):
        if not self.isolated:
            return {}
        return {"P11_KIT_SERVER_ADDRESS": f"unix:path={self.state}/p11-kit.sock"}

    def start_token_server(self):
        """A p11-kit server in the place of one that was killed."""
        (self.state / "p11-kit.sock").unlink(missing_ok=True)
        process = subprocess.Popen(
            ["p11-kit", "server", "-f", "-n", self.state / "p11-kit.sock",
             "-p", SOFTHSM_MODULE, "pkcs11:token=sealbridge"],
            env=self.softhsm_env(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        (self.state / "p11-kit.pid").write_text(f"{process.pid}\n")
        self._token_server = process

    def stop(self):
        done = self.quickstart("--stop")
        assert done.returncode == 0, done.stderr
        return self

    def close(self):
        """Stop, and remove the state when it was made here."""
        try:
            self.stop()
            for process in self._process, self._token_server:
                if process:
                    process.wait(30)
        finally:
            if self._temp:
                self._temp.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print(f"--- log of {self.state}\n{self.log()[-4000:]}")
        self.close()

    @property
    def pid(self):
        return int((self.state / "sealbridged.pid").read_text())

    def is_running(self):
        return not process_is_gone(self.pid)

    def kill(self):
        """kill -9, as a power cut would."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: process_is_gone(pid), what="the killed service")

    def log(self):
        path = self.state / "sealbridged.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- where it is

    @property
    def authority(self):
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.listen, self.listen)
        return f"[{host}]" if ":" in host else host

    @property
    def host(self):
        return self.authority.strip("[]")

    @property
    def url(self):
        return f"https://{self.authority}:{self.https}"

    @property
    def http_url(self):
        return f"http://{self.authority}:{self.http}"

    @property
    def control_socket(self):
        return self.state / "control.sock"

    @property
    def admin_password(self):
        return (self.state / "secrets" / "admin-password").read_text().strip("\n")

    @property
    def pin(self):
        return (self.state / "secrets" / "token.pin").read_text().strip("\n")

    # --- how to talk to it

    def context(self, ca=None, client=None):
        """A TLS context; without ca (a PEM file) nothing is verified. client:
        (certificate file, key file)."""
        context = ssl.create_default_context(cafile=ca and str(ca))
        if ca is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if client:
            context.load_cert_chain(*map(str, client))
        return context

    def anonymous(self, *, tls=True, ca=None):
        """The API without credentials."""
        if tls:
            proxy = xmlrpc.client.ServerProxy(
                self.url + "/RPC2", context=self.context(ca), use_builtin_types=True)
        else:
            proxy = xmlrpc.client.ServerProxy(
                self.http_url + "/RPC2", use_builtin_types=True)
        return Api(proxy)

    def api(self, user="admin", password=None, **how):
        """The API with a user's name and password in each call."""
        api = self.anonymous(**how)
        api.always = {
            "authenticationUser": user,
            "authenticationPassword":
                self.admin_password if password is None else password,
        }
        return api

    def local(self):
        """The API over the control socket."""
        return Api(xmlrpc.client.ServerProxy(
            "http://localhost/RPC2", transport=UnixTransport(self.control_socket),
            use_builtin_types=True))

    def ctl(self, *args, **options):
        """sealbridgectl; gives the finished process."""
        return run(
            BUILD / "sealbridgectl", "--socket", self.control_socket, *args, **options)

    def wire_certificate(self, port=None):
        """What a new TLS connection is shown, DER."""
        with socket.create_connection((self.host, port or self.https), 20) as raw:
            with self.context().wrap_socket(raw) as tls:
                return tls.getpeercert(binary_form=True)

    def wire_fingerprint(self, port=None):
        return hashlib.sha256(self.wire_certificate(port)).hexdigest()

    def wait_ready(self, seconds=60):
        """Until HTTPS answers (after a restart)."""
        def answers():
            try:
                return self.wire_certificate()
            except OSError:
                return None
        return wait_for(answers, seconds, "HTTPS")

    # --- its token

    def softhsm_env(self):
        return {**os.environ, "SOFTHSM2_CONF": str(self.state / "softhsm2.conf")}

    def pkcs11_tool(self, *args, login=True):
        """OpenSC's pkcs11-tool on the token; gives what it printed. The PIN is
        that of a test and may stand in an argument list."""
        command = ["pkcs11-tool", "--module", SOFTHSM_MODULE,
                   "--token-label", "sealbridge"]
        if login:
            command += ["--login", "--pin", self.pin]
        done = run(*command, *args, env=self.softhsm_env())
        assert done.returncode == 0, done.stderr
        return done.stdout
