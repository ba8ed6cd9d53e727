"""Disks that machines begin with: Debian as its packages make it, built once for each list of packages and kept."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

# What a machine needs to be one, and what its tests look at it with.
ALWAYS: Final = (
    "systemd", "systemd-sysv", "dbus", "ca-certificates", "iproute2", "iptables", "procps", "curl", "openssl", "sudo",
)  # fmt: skip
PROGRAMS: Final = ("systemd-nspawn", "mmdebstrap", "ip", "iptables", "nsenter")
KEPT: Final = Path(os.environ.get("COUNTERSIGN_MACHINES", "/var/cache/countersign-machines"))
# How long a Debian of some hundred packages takes, with room for a slow line.
BUILT_WITHIN: Final = 900


def why_none() -> str:
    """Why no machine can be started here; empty if one can."""
    if os.geteuid() != 0:
        return "whole machines are started by root alone"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def codename() -> str:
    """The release of Debian that this machine runs, which the others run too."""
    lines = dict(line.partition("=")[::2] for line in Path("/etc/os-release").read_text().splitlines())
    return lines.get("VERSION_CODENAME", "").strip('"')


def built(*packages: str) -> Path:
    """The disk that holds these packages and no others; made if there is none. It is read only: machines add to it."""
    wanted = sorted({*ALWAYS, *packages})
    name = hashlib.sha256(" ".join([codename(), *wanted]).encode()).hexdigest()[:16]
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = KEPT / name
    with (KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _build(wanted, folder)
    return folder


def _build(packages: list[str], folder: Path) -> None:
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    # No service begins while its package is unpacked: the machine begins them.
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(packages)}", codename(), str(unfinished)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=BUILT_WITHIN,
    )  # fmt: skip
    assert done.returncode == 0, f"mmdebstrap: {done.stderr}"
    _trust_who_we_trust(unfinished)
    # Each machine has a name and a number of its own.
    (unfinished / "etc/hostname").unlink(missing_ok=True)
    (unfinished / "etc/machine-id").write_text("")
    unfinished.rename(folder)


def _trust_who_we_trust(folder: Path) -> None:
    """Authorities that this machine was given beside Debian's own: packages may be reached through one of them."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copyfile(bundle, folder / bundle.relative_to("/"))
