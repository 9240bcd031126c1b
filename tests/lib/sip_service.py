# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that takes SIP over UDP, TCP and TLS, with certificates of a test's
authority on both sides."""

from certificates import Authority, key_pem, new_key, pem
from sealbridge_service import Service, wait_for

# linphonec compares an address with DNS entries only.
NAMES = ("IP:127.0.0.1", "DNS:127.0.0.1", "URI:sip:127.0.0.1")


class SipService(Service):
    """folder: where PEM files are kept: ca.pem, peer.pem (certificate and key),
    peer-certificate.pem, peer-key.pem, stranger-ca.pem, stranger.pem."""

    def __init__(self, folder, **options):
        super().__init__(**options)
        self.folder = folder
        self.authority_of_peers = Authority("SIP CA")
        (folder / "ca.pem").write_text(self.authority_of_peers.pem)
        self.add_peer("peer", self.authority_of_peers)
        stranger = Authority("Stranger")
        (folder / "stranger-ca.pem").write_text(stranger.pem)
        self.add_peer("stranger", stranger)

    def add_peer(self, name, authority, names=NAMES, **how):
        """A certificate of another side, with its key; gives the file of both."""
        key = new_key()
        certificate = authority.issue(key, name, names, **how)
        (self.folder / f"{name}-certificate.pem").write_text(pem(certificate))
        (self.folder / f"{name}-key.pem").write_text(key_pem(key))
        path = self.folder / f"{name}.pem"
        path.write_text(pem(certificate) + key_pem(key))
        return path

    def start(self, *more):
        super().start(*more)
        local = self.local()
        key = new_key()
        certificate = self.authority_of_peers.issue(key, "Sealbridge", NAMES)
        local.call("certificate.upload", certificate=pem(certificate), privateKey=key_pem(key))
        local.call("certificate.activate")
        local.call("trustStore.upload", trustStore="sip",
                   certificates=self.authority_of_peers.pem)
        local.call("services.modify", services=[
            {"name": "sip_udp", "setting": True, "port": self.sip},
            {"name": "sip_tcp", "setting": True, "port": self.sip}])
        return self

    def verify(self, what):
        """none, outgoing or outgoingAndIncoming: for connections from now on."""
        self.local().call("verification.configure", sip=what)

    # --- where it is called

    def sip_port(self, transport):
        return self.sips if transport == "tls" else self.sip

    def sip_uri(self, transport, user="echo"):
        return f"sip:{user}@127.0.0.1:{self.sip_port(transport)};transport={transport}"

    # --- what it knows of calls

    def calls(self):
        return self.local().call("calls.enumerate")["calls"]

    def one_call(self, check=lambda call: call["state"] == "connected", what="the call"):
        """The one call that stands, once it is as wanted."""
        def found():
            calls = self.calls()
            assert len(calls) <= 1, calls
            return [c for c in calls if check(c)]
        return wait_for(found, what=what)[0]

    def no_calls(self):
        try:
            wait_for(lambda: not self.calls(), what="the end of all calls")
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.calls()}") from None

    # --- calls that it places

    def place(self, name, address, **members):
        """A participant that it calls."""
        return self.local().call(
            "participant.add", conferenceName="Calls", participantName=name,
            participantProtocol="sip", participantType="ad_hoc", address=address, **members)

    def participant(self, name):
        return self.local().call(
            "participant.status", conferenceName="Calls", participantName=name,
            participantProtocol="sip", participantType="ad_hoc")

    def wait_participant(self, name, state):
        def found():
            row = self.participant(name)
            return row if row["callState"] == state else None
        return wait_for(found, what=f"{name} {state}")

    def disconnect(self, name):
        return self.local().call(
            "participant.disconnect", conferenceName="Calls", participantName=name,
            participantProtocol="sip", participantType="ad_hoc")
