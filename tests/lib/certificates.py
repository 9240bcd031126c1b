# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys for tests, made when needed and never kept."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def new_key(kind="ecP256"):
    """A private key: rsaBITS, ecP256, ecP384, ecP521 or ed25519."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curve = {"ecP256": ec.SECP256R1, "ecP384": ec.SECP384R1, "ecP521": ec.SECP521R1}
    return ec.generate_private_key(curve[kind]())


def name_of(common_name):
    """A subject; with several common names when given a tuple."""
    names = (common_name,) if isinstance(common_name, str) else common_name
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sealbridge test"),
        *(x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names),
    ])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def fingerprint(certificate):
    return certificate.fingerprint(hashes.SHA256()).hex()


# The forms of a key file that an administrator may come with; all PEM.
def key_pem(key, form="pkcs8", password=None):
    """form: traditional (PKCS#1 or SEC1, legacy encryption) or pkcs8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        {"traditional": serialization.PrivateFormat.TraditionalOpenSSL,
         "pkcs8": serialization.PrivateFormat.PKCS8}[form],
        serialization.BestAvailableEncryption(password.encode())
        if password else serialization.NoEncryption(),
    ).decode()


def pkcs12_of(certificate, key, password):
    """Certificate and key as browsers import them."""
    # NSS and OpenSSL agree on this old encryption everywhere.
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1()).build(password.encode()))
    return pkcs12.serialize_key_and_certificates(
        b"client", key, certificate, None, encryption)


def alt_names(names):
    entries = []
    for name in names:
        kind, _, value = name.partition(":")
        entries.append({
            "DNS": lambda v: x509.DNSName(v),
            "IP": lambda v: x509.IPAddress(ipaddress.ip_address(v)),
            "URI": lambda v: x509.UniformResourceIdentifier(v),
        }[kind](value))
    return x509.SubjectAlternativeName(entries)


class Authority:
    """A certificate authority, self-signed or below another one."""

    def __init__(self, common_name="Test CA", parent=None, kind="ecP256", *,
                 not_before=None, not_after=None):
        self.key = new_key(kind)
        self.parent = parent
        issuer = parent or self
        now = datetime.datetime.utcnow()
        self.name = name_of(common_name)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or now - DAY)
            .not_valid_after(not_after or now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .sign(issuer.key, hashes.SHA256())
        )

    @property
    def pem(self):
        return pem(self.certificate)

    def issue(self, public_key, common_name="127.0.0.1",
              names=("IP:127.0.0.1", "DNS:localhost"), *,
              not_before=None, not_after=None, usage=None):
        """A server or client certificate for a public (or private) key. usage: its
        only extended key usage, an OID."""
        if hasattr(public_key, "public_key"):
            public_key = public_key.public_key()
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name_of(common_name))
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or now - DAY)
            .not_valid_after(not_after or now + 365 * DAY)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
        )
        if names:
            builder = builder.add_extension(alt_names(names), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(self.key, hashes.SHA256())
