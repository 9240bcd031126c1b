# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio as registrar and as trunk: mutual TLS with the key in the token, digest
authentication, refreshes, losses, what is taken back, calls in both directions."""

import base64
import os
from datetime import datetime

import pytest
from cryptography import x509

from certificates import Authority, key_pem, new_key, pem
from kamailio import DOMAIN, Kamailio
from sealbridge_service import free_ports, wait_for
from sipp import Sipp

USER, PASSWORD = "bridge", "Unmistakable-Registrar-1"


@pytest.fixture(scope="module")
def authority():
    return Authority("SIP test authority")


@pytest.fixture(scope="module")
def files(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("kamailio-files")
    for name, issuer in ("pbx", authority), ("stranger", Authority("Stranger")):
        key = new_key()
        certificate = issuer.issue(key, DOMAIN, names=("IP:127.0.0.1", f"DNS:{DOMAIN}"))
        (folder / f"{name}.pem").write_text(pem(certificate) + key_pem(key))
    (folder / "ca.pem").write_text(authority.pem)
    return folder


@pytest.fixture(scope="module")
def device(service, authority):
    """A service with a certificate of the authority for a key that was made in its
    token, which trusts that authority in both directions."""
    api = service.local()
    key = api.call("certificate.generateKey", keyType="ecP256")["keyId"]
    request = x509.load_pem_x509_csr(api.call(
        "certificate.createRequest", keyId=key, subject={"cn": "bridge"},
        subjectAltNames=[])["request"].encode())
    certificate = authority.issue(request.public_key(), "bridge.example",
                                  names=("IP:127.0.0.1", f"URI:sip:{DOMAIN}"))
    api.call("certificate.upload", certificate=pem(certificate))
    api.call("certificate.activate")
    api.call("trustStore.upload", trustStore="sip", certificates=authority.pem)
    api.call("verification.configure", sip="outgoingAndIncoming")
    return service


@pytest.fixture
def make_pbx(tmp_path, files):
    """Start Kamailio with options of the test's own."""
    made = []

    def make(who="pbx", users=None, **options):
        pbx = Kamailio(tmp_path / f"kamailio-{len(made)}", files / f"{who}.pem",
                       files / "ca.pem", users or {USER: PASSWORD}, **options)
        made.append(pbx)
        return pbx

    yield make
    for pbx in made:
        print(pbx.said())
        pbx.close()


def direct(device):
    """Nothing of a registrar any more, and what it was is taken back."""
    device.local().call("sip.modify", outboundConfiguration="callDirect",
                        registrationSeconds=3600, password="")
    state(device, "off")


@pytest.fixture
def api(device):
    yield device.local()
    direct(device)


def state(device, wanted):
    """sip.query, once the registration is like that."""
    def seen():
        now = device.local().call("sip.query")
        return now if now["registrationState"] == wanted else None

    try:
        return wait_for(seen, what=f"registration {wanted}")
    except AssertionError as e:
        now = device.local().call("sip.query")
        raise AssertionError(f"{e}: {now['registrationState']}: "
                             f"{now['registrationProblem']}") from None


def pause(now):
    """Seconds until it is tried again by itself."""
    when = datetime.strptime(now["registrationNextTry"].value, "%Y%m%dT%H:%M:%S")
    return (when - datetime.utcnow()).total_seconds()


def use(api, pbx, transport="tls", password=PASSWORD, **more):
    api.call("sip.modify", **{
        "outboundConfiguration": "useRegistrar", "outboundDomain": DOMAIN, "userName": USER,
        "outboundAddress": f"127.0.0.1:{getattr(pbx, transport)}",
        "outgoingTransport": transport, "password": password, **more})


# --- registrations

def test_mutual_tls(device, api, make_pbx):
    pbx = make_pbx()
    use(api, pbx)
    now = state(device, "registered")
    assert now["registeredAs"] == f"sip:{USER}@{DOMAIN}"
    assert now["registrationProblem"] == ""
    assert now["configuredRegistrar"] == f"127.0.0.1:{pbx.tls}"
    (contact, seconds), = pbx.bound(USER).items()
    assert contact == f"sip:{USER}@127.0.0.1:{device.sips};transport=tls"
    assert 3500 <= seconds <= 3600
    # Challenged, then answered, by somebody whose certificate was looked at.
    first, second = pbx.seen("REGISTER")[:2]
    assert all("over tls from 'bridge.example' expires '3600'" in line.lower()
               for line in (first, second))
    assert PASSWORD not in device.log() and PASSWORD not in str(now)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_other_transports(device, api, make_pbx, transport):
    port, = free_ports(1)
    api.call("services.modify", services=[
        {"name": f"sip_{transport}", "setting": True, "port": port}])
    pbx = make_pbx()
    use(api, pbx, transport)
    state(device, "registered")
    contact, = pbx.bound(USER)
    assert contact.startswith(f"sip:{USER}@127.0.0.1:{port}")
    direct(device)
    assert pbx.bound(USER) == {}


def test_sha256(device, api, make_pbx):
    pbx = make_pbx(algorithm="SHA-256")
    use(api, pbx)
    state(device, "registered")
    assert pbx.bound(USER)


def test_refresh(device, api, make_pbx):
    """Half of what is granted later, in the same conversation; nonces get stale."""
    pbx = make_pbx(most_seconds=6, nonce_seconds=2)
    use(api, pbx, registrationSeconds=60)
    state(device, "registered")
    calls = wait_for(lambda: len(pbx.seen("REGISTER")) >= 6 and pbx.seen("REGISTER"),
                     what="two refreshes")
    ids = {line.partition(" call ")[2].split()[0] for line in calls}
    numbers = [int(line.split()[-1]) for line in calls]
    assert len(ids) == 1
    assert numbers == sorted(set(numbers))
    assert api.call("sip.query")["registrationState"] == "registered"
    assert len(pbx.bound(USER)) == 1


def test_wrong_password(device, api, make_pbx):
    pbx = make_pbx()
    use(api, pbx, password="Unmistakable-Guess")
    now = state(device, "failed")
    assert "refuses the user name or the password" in now["registrationProblem"]
    assert "registrationExpires" not in now
    assert pbx.bound(USER) == {}
    # Tried often it could lock the account; with another one it is tried at once.
    assert 6 * 3600 - 60 <= pause(now) <= 12 * 3600
    tried = len(pbx.seen("REGISTER"))
    assert tried == 2
    api.call("sip.modify", password=PASSWORD)
    state(device, "registered")
    assert pbx.bound(USER)
    assert len(pbx.seen("REGISTER")) > tried


def test_another_account(device, api, make_pbx):
    """Known by the password, and not allowed to be somebody else."""
    pbx = make_pbx(users={USER: PASSWORD, "other": "x"})
    use(api, pbx, userName="nobody")
    now = state(device, "failed")
    assert "127.0.0.1" in now["registrationProblem"]
    assert pause(now) > 60
    api.call("sip.modify", userName=USER)
    state(device, "registered")


@pytest.mark.parametrize("status", [423, 503])
def test_told_to_come_again(device, api, make_pbx, status):
    pbx = make_pbx()
    pbx.refuse_once(status)
    use(api, pbx, registrationSeconds=60)
    state(device, "registered")
    (_, seconds), = pbx.bound(USER).items()
    assert seconds > 60 if status == 423 else seconds <= 60


@pytest.mark.parametrize("status, most", [(403, 1800), (404, 60), (600, 60), (500, 10)])
def test_refused_for_now(device, api, make_pbx, status, most):
    """It says when it tries again by itself; by hand it is at once."""
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    pbx.refuse_once(status)
    api.call("sip.register")
    now = state(device, "failed")
    assert f"{status} As The Test Wants" in now["registrationProblem"]
    assert pause(now) <= most + 1
    api.call("sip.register")
    now = state(device, "registered")
    assert "registrationNextTry" not in now and len(pbx.bound(USER)) == 1


def test_stranger(device, api, make_pbx):
    """A registrar whose certificate nobody whom we trust has made."""
    pbx = make_pbx(who="stranger")
    use(api, pbx)
    now = state(device, "failed")
    assert "certificate" in now["registrationProblem"]
    assert pause(now) <= 61
    assert pbx.seen("REGISTER") == []


def test_without_our_certificate(device, api, make_pbx):
    pbx = make_pbx()
    use(api, pbx, useLocalCertificate=False)
    now = state(device, "failed")
    assert "certificate" in now["registrationProblem"]
    assert pbx.seen("REGISTER") == []
    api.call("sip.modify", useLocalCertificate=True)
    state(device, "registered")


def test_killed_registrar(device, api, make_pbx):
    """It has forgotten everything, and we come back by ourselves."""
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    before = len(pbx.seen("REGISTER"))
    pbx.kill()
    state(device, "failed")
    pbx.start()  # it keeps nothing on a disk
    state(device, "registered")
    assert len(pbx.seen("REGISTER")) > before
    assert len(pbx.bound(USER)) == 1


def test_taken_back(device, api, make_pbx):
    """When the settings leave the registrar, for another one or for none."""
    first, second = make_pbx(), make_pbx()
    use(api, first)
    state(device, "registered")
    use(api, second)
    wait_for(lambda: second.bound(USER), what="the other registrar")
    assert first.bound(USER) == {}
    assert "expires '0'" in first.seen("REGISTER")[-1].lower()
    direct(device)
    assert second.bound(USER) == {}


def test_register_again(device, api, make_pbx):
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    before = len(pbx.seen("REGISTER"))
    api.call("sip.register")
    wait_for(lambda: len(pbx.seen("REGISTER")) > before, what="another one")


def test_another_port_of_ours(device, api, make_pbx):
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    port, = free_ports(1)
    api.call("services.modify", services=[{"name": "sips_tcp", "setting": True, "port": port}])
    contact = f"sip:{USER}@127.0.0.1:{port};transport=tls"
    wait_for(lambda: list(pbx.bound(USER)) == [contact], what="the contact, and no other")
    api.call("services.modify", services=[
        {"name": "sips_tcp", "setting": True, "port": device.sips}])


def test_closed_by_policy(device, api, make_pbx):
    """Where a change of policy closes connections, it is made anew by another one."""
    pbx = make_pbx()
    use(api, pbx, closeConnections=True)
    state(device, "registered")
    before = len(pbx.seen("REGISTER"))
    try:
        api.call("verification.configure", sip="outgoing")
        wait_for(lambda: len(pbx.seen("REGISTER")) > before, what="another one")
        state(device, "registered")
    finally:
        api.call("verification.configure", sip="outgoingAndIncoming")
        api.call("sip.modify", closeConnections=False)
    assert len(pbx.bound(USER)) == 1


def test_stop(device, api, make_pbx):
    """A service that ends takes it back, and makes it anew when it starts."""
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    device.stop()
    assert pbx.bound(USER) == {}
    device.start()
    state(device, "registered")
    contact, = pbx.bound(USER)
    assert contact == f"sip:{USER}@127.0.0.1:{device.sips};transport=tls"


# --- calls

@pytest.fixture
def desk(tmp_path):
    """A telephone behind Kamailio: a scenario of SIPp over UDP."""
    made = []

    def make(scenario, pbx, **options):
        phone = Sipp(tmp_path / f"desk-{len(made)}", scenario, **options)
        made.append(phone)
        if options.get("remote") is None:
            pbx.desk(phone.port)
        return phone

    yield make
    for phone in made:
        print(phone.said())
        phone.close()


def calls_us(desk, pbx, **options):
    return desk("call", pbx, remote=pbx.udp, keys={
        "uri": f"sip:{USER}@127.0.0.1:{pbx.udp};transport=udp"}, **options)


def test_called_by_the_registrar(device, api, make_pbx, desk):
    """Over the connection that we have registered with: there is no other way."""
    pbx = make_pbx()
    use(api, pbx)
    state(device, "registered")
    calls_us(desk, pbx, calls=3).succeed()
    ways = pbx.goes()
    assert len(ways) == 3 and len(set(ways)) == 1
    assert ways[0].startswith(f"sip:{USER}@127.0.0.1:{device.sips};transport=tls by sip:127.0.0.1:")
    assert f":{device.sips};" not in ways[0].partition(" by ")[2]
    assert "transport=tls" in ways[0].partition(" by ")[2].lower()


def test_called_by_the_trunk(device, api, make_pbx, desk):
    """Over a connection that Kamailio opens, and proves itself on."""
    pbx = make_pbx()
    pbx.device(device.sips)
    calls_us(desk, pbx, calls=3).succeed()
    assert len(pbx.goes()) == 3


def test_called_by_a_stranger(device, api, make_pbx, desk):
    """The same with a certificate of nobody whom we trust: not even a connection."""
    pbx = make_pbx(who="stranger")
    pbx.device(device.sips)
    before = api.call("auditlog.query")["lastIndex"]
    assert calls_us(desk, pbx).finish().failed == 1
    wait_for(lambda: "sipPeerRefused" in {e["event"] for e in api.call(
        "auditlog.enumerate", index=before + 1, numEvents=20)["events"]}, what="the record")


# Debian's SIPp makes no keys of its own for an answer that is encrypted.
ENCRYPTED = {"profile": "RTP/SAVP", "media": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
             + base64.b64encode(os.urandom(30)).decode()}


def call(api, name, address="desk"):
    members = {"conferenceName": "Calls", "participantName": name,
               "participantType": "ad_hoc", "participantProtocol": "sip"}
    api.call("participant.add", **members, address=address, useSIPRegistrar=True)
    return members


def reaches(api, members, wanted):
    def seen():
        now = api.call("participant.status", **members)
        return now if now["callState"] == wanted else None

    return wait_for(seen, what=f"a call that is {wanted}")


@pytest.mark.parametrize("mode", ["useRegistrar", "useTrunk"])
def test_calls(device, api, make_pbx, desk, mode):
    """Challenged, with the account's password; both sides hang up."""
    pbx = make_pbx()
    use(api, pbx, outboundConfiguration=mode)
    state(device, "registered" if mode == "useRegistrar" else "off")
    phone = desk("answer", pbx, keys=ENCRYPTED)
    members = call(api, f"{mode} 1")
    reaches(api, members, "connected")
    one, = api.call("calls.enumerate")["calls"]
    assert one["transport"] == "TLS" and one["verified"] and DOMAIN in one["peerIdentity"]
    assert one["mediaEncryption"] == "encrypted"
    api.call("participant.disconnect", **members)
    reaches(api, members, "disconnected")
    phone.succeed()
    phone = desk("hang_up", pbx, keys=ENCRYPTED)
    members = call(api, f"{mode} 2")
    now = reaches(api, members, "disconnected")
    assert now["disconnectReason"] == "remoteTeardown"
    phone.succeed()
    # Each call was asked for the password, and had it.
    assert len(pbx.seen("INVITE")) == 4 and len(pbx.goes()) == 2


@pytest.mark.parametrize("address, password, reason", [
    ("desk", "Unmistakable-Guess", "authenticationFailed"),
    ("nobody", PASSWORD, "destinationUnreachable"),
])
def test_call_refused(device, api, make_pbx, address, password, reason):
    pbx = make_pbx()
    use(api, pbx, outboundConfiguration="useTrunk", password=password)
    members = call(api, f"{address} {reason}", address)
    now = reaches(api, members, "disconnected")
    assert now["disconnectReason"] == reason
    assert pbx.goes() == []
