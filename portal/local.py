"""Keys for trying it out on one machine: made once, kept in `var/`, never used when DEBUG is off."""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

PRIVATE = ("portal.sqlite3*", "keys.json", "demo.json", "credentials.json", "welcome.txt", "mail", "mail/*")


def keep_private(folder: Path) -> None:
    """Have every file that this process makes be readable by its owner alone; and what it left before in `folder`.

    The database and mail with links to set a password lie there. A folder of one's own may be shared with others, so
    it stays as it is.
    """
    os.umask(0o077)
    for path in (found for name in PRIVATE for found in folder.glob(name)):
        with suppress(OSError):
            path.chmod(0o700 if path.is_dir() else 0o600)


def local_keys(folder: Path) -> dict[str, str]:
    """The secret key and sealing key of this checkout, made at the first call and readable by its owner alone."""
    path = folder / "keys.json"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        keys: dict[str, str] = json.loads(path.read_text())
        return keys
    keys = {
        "secret_key": secrets.token_urlsafe(50),
        "sealing_keys": "local:" + urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
    }
    with os.fdopen(descriptor, "w") as file:
        json.dump(keys, file)
    return keys
