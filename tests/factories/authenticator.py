"""A passkey in software: answers challenges as a browser with an authenticator would, and badly when told to."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.utils import timezone

from accounts.models import Member, Passkey, User

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class SoftPasskey:
    """One key pair (ES256), its id and its counter."""

    verifies: bool = True
    origin: str = field(default_factory=lambda: settings.BASE_URL)
    site: str = field(default_factory=lambda: settings.OTP_WEBAUTHN_RP_ID)
    counter: int = 0
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""

    def create(self, options) -> str:
        """What `navigator.credentials.create` gives."""
        self.handle = raw(options["user"]["id"])
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._cose()
        client = self._client("webauthn.create", options["challenge"])
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._answer({"clientDataJSON": text(client), "attestationObject": text(cbor2.dumps(statement))})

    def get(self, options, *, kind="webauthn.get") -> str:
        """What `navigator.credentials.get` gives."""
        self.counter += 1
        client, data = self._client(kind, options["challenge"]), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(self.handle),
            }
        )

    def enrolled(self, user: User, name: str = "Laptop") -> Passkey:
        """The row of this passkey, as if it had been registered; it counts in every place of the person."""
        self.handle = user.handle.bytes
        row: Passkey = Passkey.objects.create(
            user=user,
            name=name,
            confirmed=True,
            credential_id=self.id,
            public_key=self._cose(),
            sign_count=self.counter,
            aaguid="00000000-0000-0000-0000-000000000000",
            created_at=timezone.now(),
        )
        row.places.set(Member.objects.filter(user=user))
        return row

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + struct.pack(">I", self.counter)

    def _cose(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": text(self.id),
                "rawId": text(self.id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
