"""Signatures of archives: Ed25519, the private key made of the setting OTKLIK_AUDIT_KEY.

Whoever checks a signature needs the public key only, so an archive proves where it is from to people who could not have
made it.
"""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from otklik.errors import OtklikError

SEAL_LENGTH = 64
"""Bytes of a signature."""
_BLOCK = 1 << 20


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


def seal(file: Path, key: str) -> None:
    """Put the signature of all that comes before them into the last bytes of a file."""
    signature = _private(key).sign(_digest(file))
    with file.open("r+b") as opened:
        opened.seek(-SEAL_LENGTH, os.SEEK_END)
        opened.write(signature)


def is_sealed(file: Path, public: str) -> bool:
    """Tell whether the owner of a public key sealed the file and no byte of it is another."""
    with file.open("rb") as opened:
        opened.seek(-SEAL_LENGTH, os.SEEK_END)
        signature = opened.read()
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public)).verify(signature, _digest(file))
    except InvalidSignature:
        return False
    return True


def _digest(file: Path) -> bytes:
    """Return the SHA-256 of a file without its seal."""
    digest, left = hashlib.sha256(), file.stat().st_size - SEAL_LENGTH
    with file.open("rb") as opened:
        while block := opened.read(min(left, _BLOCK)):
            digest.update(block)
            left -= len(block)
    return digest.digest()


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
