"""Signatures of archives: Ed25519, the private key made of the setting OTKLIK_AUDIT_KEY.

Whoever checks a signature needs the public key only, so an archive proves where it is from to people who could not have
made it.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from otklik.errors import OtklikError


class AuditKeyError(OtklikError):
    """A key that is none."""


def sign(content: bytes, key: str) -> str:
    """Return the signature (hex) of some bytes by the private key (64 hex digits)."""
    return _private(key).sign(content).hex()


def public_key(key: str) -> str:
    """Return the public key (64 hex digits) of a private one."""
    return _private(key).public_key().public_bytes_raw().hex()


def is_signed(content: bytes, signature: str, public: str) -> bool:
    """Tell whether the signature is that of these bytes by the owner of a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_bytes(key))


def _bytes(key: str) -> bytes:
    try:
        found = bytes.fromhex(key)
    except ValueError:
        found = b""
    if len(found) != 32:  # noqa: PLR2004 - Ed25519's own length
        raise AuditKeyError("A key for archives is 64 hexadecimal digits; correct OTKLIK_AUDIT_KEY, or --public-key")
    return found
