"""Keys for trying it out on one machine: made once, kept in `var/`, never used when DEBUG is off."""

import fcntl
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
    if path.exists() and (said := path.read_text()):
        found: dict[str, str] = json.loads(said)
        return found
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        # Several processes may start at once; the others wait here until the first has written them.
        fcntl.flock(file, fcntl.LOCK_EX)
        keys: dict[str, str] = json.loads(file.read() or "{}")
        if not keys:
            keys = {
                "secret_key": secrets.token_urlsafe(50),
                "sealing_keys": "local:" + urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
            }
            json.dump(keys, file)
    return keys
