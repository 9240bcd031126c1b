# SPDX-License-Identifier: GPL-3.0-or-later
"""linphonec with a configuration of its own, on the loopback, with files for a
sound card. It is commanded as by a person: at a terminal."""

import os
import pty
import threading

from audio import seconds_in
from sip_ports import free_run
from sip_program import Program

# Its TLS is for connections that it opens; Debian's build has no certificate to
# accept any with, so that it is called over TCP.
CONFIGURATION = """
[sip]
sip_port=-1
sip_tcp_port={tcp}
sip_tls_port={tls}
bind_address=127.0.0.1
contact="{name}" <sip:{name}@127.0.0.1>
use_ipv6=0
guess_hostname=0
verify_server_certs={verify}
verify_server_cn={verify}
root_ca={ca}
media_encryption={encryption}
media_encryption_mandatory={mandatory}
inc_timeout=30
{certificates}

[rtp]
bind_address=127.0.0.1
audio_rtp_port={rtp}-{rtp_end}

[net]
dns_srv_enabled=0
"""


class Linphone(Program):
    """ca: a PEM file against which servers are verified, by name too: it compares
    an address with DNS entries only. who: (certificate, key), PEM files, shown to servers
    that ask. says: a WAV file that it plays; encryption: none or srtp, then
    insisted on."""

    logs = ("log",)

    def __init__(self, folder, says, *, ca=None, who=None, encryption="none", answers=False,
                 name="tester"):
        super().__init__(folder)
        first = free_run(8)
        self.port = first
        certificates = ""
        if who:
            certificates = f"client_cert_chain={who[0]}\nclient_cert_key={who[1]}"
        (folder / "rc").write_text(CONFIGURATION.format(
            tcp=first, tls=first + 1, rtp=first + 2, rtp_end=first + 7, name=name,
            verify=int(ca is not None), ca=ca or "/dev/null", encryption=encryption,
            mandatory=int(encryption != "none"), certificates=certificates))
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        self.uri = f"sip:{name}@127.0.0.1:{first};transport=tcp"
        self.recording = folder / "heard.wav"
        self.terminal, theirs = pty.openpty()
        environment = {"HOME": str(folder), "TERM": "dumb", "PATH": "/usr/bin:/bin"}
        self.run("linphonec", "-c", folder / "rc", "-d", 6, "-l", folder / "log",
                 *(["-a"] if answers else []), stdin=theirs, stdout=theirs, stderr=theirs,
                 env=environment)
        os.close(theirs)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait(lambda: "linphonec> " in self.text(), what="linphonec")
        self.wait(lambda: "Creating listening point" in self.text("log"), what="its ports")
        self.say("soundcard use files")
        self.say(f"play {says}")
        self.say(f"record {self.recording}")

    def _read(self):
        with open(self.folder / "out", "ab", buffering=0) as out:
            try:
                while piece := os.read(self.terminal, 4096):
                    out.write(piece)
            except OSError:
                pass  # it has ended

    def say(self, line):
        """One line at its prompt."""
        os.write(self.terminal, line.encode() + b"\n")

    def expect(self, text, seconds=60):
        self.wait(lambda: text in self.text(), seconds, f"the words {text!r}")

    def dial(self, uri):
        self.say(f"call {uri}")

    def listen(self, seconds):
        """As Baresip's."""
        self.wait(lambda: seconds_in(self.recording) >= seconds, what="sound")

    def hang_up(self):
        self.say("terminate")
        self.expect("ended (")

    def close(self):
        super().close()
        if hasattr(self, "reader"):
            self.reader.join(10)
            os.close(self.terminal)
