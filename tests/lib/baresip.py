# SPDX-License-Identifier: GPL-3.0-or-later
"""baresip with a configuration of its own, on the loopback, commanded over its
control port; what it hears is recorded."""

import json
import shutil
import socket
import threading

from audio import seconds_in
from sip_ports import free_run
from sip_program import Program

MODULES = """
module_path /usr/lib/baresip/modules
module aufile.so
module aubridge.so
module sndfile.so
module g711.so
module srtp.so
module_app ctrl_tcp.so
module_tmp account.so
module_app menu.so
"""

# aubridge takes what is to be heard and gives it to nobody; sndfile writes it down
# on the way there.
CONFIGURATION = """
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:{port}
{certificate}
call_max_calls 4
audio_player aubridge,nobody
audio_source aufile,{folder}/says.wav
audio_alert aubridge,nobody
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
jitter_buffer_delay 1-2
rtp_ports {rtp}-{rtp_end}
snd_path {folder}/heard
ctrl_tcp_listen 127.0.0.1:{control}
statmode_default off
""" + MODULES


class Baresip(Program):
    """who: a PEM file with certificate and key, shown as server, and as client to
    servers that ask; Debian's build itself verifies nobody. says: a WAV file that it
    plays in calls. encryption: as baresip names it, srtp or srtp-mand; None: none.
    answers: takes calls by itself."""

    logs = ("config", "accounts")

    def __init__(self, folder, says, *, transport="tls", encryption=None, who=None,
                 answers=True, name="tester"):
        super().__init__(folder)
        self.transport = transport
        first = free_run(14)  # SIP, SIP over TLS, control, two and more for media
        self.plain_port, self.control_port = first, first + 2
        self.port = first + (transport == "tls")
        (folder / "heard").mkdir()
        shutil.copy(says, folder / "says.wav")
        (folder / "config").write_text(CONFIGURATION.format(
            port=first, certificate=f"sip_certificate {who}" if who else "",
            folder=folder, rtp=first + 4, rtp_end=first + 13, control=self.control_port))
        account = (f"<sip:{name}@127.0.0.1:{self.port};transport={transport}>;regint=0;"
                   f"answermode={'auto' if answers else 'manual'}")
        if encryption:
            account += f";mediaenc={encryption}"
        (folder / "accounts").write_text(account + "\n")
        self.uri = f"sip:{name}@127.0.0.1:{self.port};transport={transport}"
        self.events, self.answers = [], []
        self.run("baresip", "-s", "-f", folder)
        self.wait(lambda: "baresip is ready." in self.text(), what="baresip")
        self.control = socket.create_connection(("127.0.0.1", self.control_port), 10)
        self.control.settimeout(None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        """Netstrings of JSON: what has happened, and answers to commands."""
        left = b""
        try:
            while piece := self.control.recv(65536):
                left += piece
                while b":" in left:
                    length, _, rest = left.partition(b":")
                    end = int(length)
                    if len(rest) <= end:
                        break
                    message, left = json.loads(rest[:end]), rest[end + 1:]
                    (self.events if message.get("event") else self.answers).append(message)
        except OSError:
            pass  # closed by us

    def command(self, name, parameters=""):
        """One of its commands, and what it answers."""
        before = len(self.answers)
        text = json.dumps({"command": name, "params": parameters, "token": str(before)}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))
        self.wait(lambda: len(self.answers) > before, what=f"answer to {name}")
        return self.answers[before]

    def seen(self, kind):
        return [e for e in self.events if e["type"] == kind]

    def expect(self, kind, seconds=60):
        """The first event of a kind."""
        self.wait(lambda: self.seen(kind), seconds, kind)
        return self.seen(kind)[0]

    def dial(self, uri):
        return self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")
        self.expect("CALL_CLOSED")

    def listen(self, seconds):
        """Until so much of its one call is recorded: on a busy machine that takes longer."""
        self.wait(lambda: any(seconds_in(path) >= seconds
                              for path in (self.folder / "heard").glob("*-dec.wav")),
                  what="sound")

    def heard(self):
        """The recording of its one call, once that has ended."""
        found = list((self.folder / "heard").glob("*-dec.wav"))
        assert len(found) == 1, f"{found}\n{self.said()}"
        return found[0]

    def close(self):
        super().close()
        if hasattr(self, "control"):
            self.control.close()
            self.reader.join(10)
