"""A certificate for the installation, signed by an authority that its callers trust and nobody else does."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.serving import HOST


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files: of the authority, and of the host with its key."""

    authority: Path
    host: Path
    key: Path


def made(folder: Path, *others: str) -> Certificates:
    """Both of them, good for some days; the host's own for other names as well."""
    own = Certificates(folder / "authority.pem", folder / "host.pem", folder / "host.key")
    authority_key, request, names = folder / "authority.key", folder / "host.csr", folder / "names"
    known_as = ",".join(f"DNS:{name}" for name in (HOST, *others))
    names.write_text(f"subjectAltName={known_as}\nextendedKeyUsage=serverAuth\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    # What Python 3.13 asks of an authority is said as well.
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("req", "-x509", *new, "-keyout", authority_key, "-out", own.authority, "-days", "30", "-subj",
             "/CN=Authority of a test", *extensions)  # fmt: skip
    _openssl("req", *new, "-keyout", own.key, "-out", request, "-subj", f"/CN={HOST}")
    _openssl("x509", "-req", "-in", request, "-CA", own.authority, "-CAkey", authority_key, "-CAcreateserial",
             "-out", own.host, "-days", "30", "-extfile", names)  # fmt: skip
    return own


def _openssl(*words: object) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
