"""What stands beside a backup: what it holds, how far its history reaches, and that this portal wrote it.

Whoever has the public key can seal a file, and a dump that is restored runs what it says; so the manifest is signed
with a key derived from the sealing keys. It holds no secret.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from portal.core.secrets.sealing import derived_key
from portal.operating.backups.failures import Failed

FORMAT: Final = 1
PURPOSE: Final = "backup"
SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database holds at one moment: its last migrations by app, the heads of its chains as `verifyaudit` prints
    them, and the names of the sealing keys without which it cannot be opened or its history proved."""

    migrations: dict[str, list[str]]
    chains: list[str]
    sealing_keys: list[str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`size` and `sha256` are of the file as it lies there, `content_…` of the dump that was sealed in it."""

    file: str
    made_at: str
    version: str
    database: str
    kind: str
    made_by: str
    taken_from: str
    size: int
    sha256: str
    content_size: int
    content_sha256: str
    sealed_to: list[str]
    facts: Facts
    format: int = FORMAT
    signature: str = field(default="")

    def signed(self) -> "Manifest":
        """The same with the signature of this portal."""
        return replace(self, signature=self._signature())

    def is_ours(self) -> bool:
        """Whether a portal with these sealing keys has written it."""
        return hmac.compare_digest(self.signature, self._signature())

    def _signature(self) -> str:
        said = {name: value for name, value in asdict(self).items() if name != "signature"}
        return hmac.new(derived_key(PURPOSE), json.dumps(said, sort_keys=True).encode(), sha256).hexdigest()


def beside(backup: Path) -> Path:
    """Where the manifest of a backup is."""
    return backup.with_name(backup.name + SUFFIX)


def write(path: Path, manifest: Manifest) -> None:
    """Write it there, down to the disk, for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(backup: Path) -> Manifest:
    """The manifest of that backup.

    Raises: Failed where it is not there, or is none.
    """
    path = beside(backup)
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = Manifest(**{**said, "facts": Facts(**said["facts"])})
    except FileNotFoundError as error:
        raise Failed(f"{path} is not there: a backup without its manifest is not restored.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Failed(f"{path} cannot be read as the manifest of a backup.") from error
    if found.format != FORMAT:
        raise Failed(f"{path} was written by another version of the portal (format {found.format!s:.20}).")
    return found
