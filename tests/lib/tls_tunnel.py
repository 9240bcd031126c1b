# SPDX-License-Identifier: GPL-3.0-or-later
"""socat as the TLS that a program lacks, on either side."""

from sealbridge_service import free_ports
from sip_program import Program


class Tunnel(Program):
    """who: certificate and key in one PEM file, or None; ca: a PEM file against
    which the other side is verified, or None: anybody."""

    def __init__(self, folder, who, ca, port=None):
        super().__init__(folder)
        self.port = port or free_ports(1)[0]
        self.tls = f"verify={int(ca is not None)}"
        if who:
            self.tls += f",cert={who}"
        if ca:
            self.tls += f",cafile={ca}"

    def start(self, listen, connect):
        # -d -d: who came and what TLS said
        self.run("socat", "-d", "-d", listen, connect)
        self.wait(lambda: f"listening on AF=2 127.0.0.1:{self.port}" in self.text(),
                  what="socat")
        return self


class TlsClient(Tunnel):
    """Plain TCP at self.port, TLS to a server."""

    def __init__(self, folder, to, who=None, ca=None, host="127.0.0.1"):
        super().__init__(folder, who, ca)
        # The name is that of the address, which socat compares.
        self.start(f"TCP4-LISTEN:{self.port},bind=127.0.0.1,reuseaddr,fork",
                   f"OPENSSL:{host}:{to},pf=ip4,{self.tls}")


class TlsServer(Tunnel):
    """TLS at self.port, plain TCP to a program. With ca, clients must show a
    certificate."""

    def __init__(self, folder, to, who, ca=None, port=None):
        super().__init__(folder, who, ca, port)
        self.start(f"OPENSSL-LISTEN:{self.port},pf=ip4,bind=127.0.0.1,reuseaddr,fork,"
                   f"{self.tls}", f"TCP4:127.0.0.1:{to}")
