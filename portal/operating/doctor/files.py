"""What lies on this machine: the portal's folder, the environment file, static files, room, and open files allowed."""

import os
import resource
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage

from portal.local import PRIVATE
from portal.operating.doctor.findings import Finding, Words

ENVIRONMENT: Final = Path("/etc/countersign/environment")
LEAST_ROOM: Final = 2**30
LEAST_SHARE: Final = 0.1
UNITS: Final = ("countersign-web", "countersign-stream", "countersign-work")
# Beside sockets: connections to the database, the server's own, and files that are read.
OTHER_FILES: Final = 256


def look_at_folder() -> Iterator[Finding]:
    """PORTAL_VAR, in which nothing may lie open to others."""
    words, folder = Words("folder"), Path(settings.VAR)
    if not folder.is_dir():
        yield words.wrong(
            f"PORTAL_VAR {folder} is not there", f"install -d -m 750 -o countersign -g countersign {folder}"
        )
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield words.wrong(
            f"PORTAL_VAR {folder} cannot be written", f"chown countersign: {folder}, and ask as that user."
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    is_open = [path for name in PRIVATE for path in folder.glob(name) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if mode & 0o002:
        yield words.wrong(f"PORTAL_VAR {folder} may be written by everybody ({mode:o})", f"chmod 750 {folder}")
    elif mode & 0o007 and not settings.DEBUG:
        yield words.warn(f"PORTAL_VAR {folder} may be read by everybody ({mode:o})", f"chmod 750 {folder}")
    for path in is_open:
        yield words.wrong(f"{path} may be read by others", f"chmod go= {path}")
    if not is_open and not mode & (0o002 if settings.DEBUG else 0o007):
        yield words.ok(f"PORTAL_VAR {folder} has mode {mode:o}, and nothing secret in it is open to others")


def look_at_environment(path: Path = ENVIRONMENT) -> Iterator[Finding]:
    """The file that all units read: who may read it, and whether this process has the same settings."""
    words = Words("environment file")
    try:
        about, text = path.stat(), path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except PermissionError:
        yield words.ok(f"{path} is not for this user to read")
        return
    mode = stat.S_IMODE(about.st_mode)
    if mode & 0o027:
        yield words.wrong(
            f"{path} holds secrets and has mode {mode:o}", f"chmod 640 {path}; chown root:countersign {path}"
        )
    else:
        yield words.ok(f"{path} is readable by its owner and group alone ({mode:o})")
    others = [name for name, value in _variables(text).items() if os.environ.get(name, "") != value]
    if others:
        yield words.warn(
            f"this process has other values than {path} for {', '.join(sorted(others))}",
            "Ask with the environment of the services: countersign doctor, which reads that file.",
        )


def look_at_static() -> Iterator[Finding]:
    """Whether pages find their styles and scripts."""
    words, again = Words("static files"), "manage.py collectstatic --no-input, then start the nodes anew."
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        yield words.ok("served from where they lie, as PORTAL_DEBUG has it")
        return
    names = staticfiles_storage.hashed_files
    gone = [name for name in names.values() if not (Path(settings.STATIC_ROOT) / name).is_file()]
    if not names:
        yield words.wrong(f"not collected in {settings.STATIC_ROOT}: every page fails", again)
    elif gone:
        yield words.wrong(f"{len(gone)} of {len(names)} are gone, {gone[0]} for one", again)
    else:
        yield words.ok(f"{len(names)} collected in {settings.STATIC_ROOT}")


def look_at_room() -> Iterator[Finding]:
    """Room on the disks that can be seen from here."""
    words = Words("disk")
    folders = {Path(settings.VAR), Path(getattr(settings, "BACKUP_DIR", None) or settings.VAR)}
    for folder in sorted(folder for folder in folders if folder.is_dir()):
        usage = shutil.disk_usage(folder)
        said = f"{folder}: {usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GB free"
        if usage.free < LEAST_ROOM:
            yield words.wrong(said, "Make room: du -xh / | sort -h | tail shows who takes it.")
        elif usage.free < usage.total * LEAST_SHARE:
            yield words.warn(said, "Make room, or a larger disk, before it is full.")
        else:
            yield words.ok(said)


def look_at_limits() -> Iterator[Finding]:
    """Open files: of the units if systemd runs them here, else of this process."""
    words, needed = Words("open files"), 2 * settings.STREAM_SOCKETS + OTHER_FILES
    units = {unit: limit for unit in UNITS if (limit := _limit_of(unit)) is not None}
    if not units:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        said = f"{soft} may be open here; the server of sockets needs {needed}"
        enough = soft >= needed or soft == resource.RLIM_INFINITY
        yield words.ok(said) if enough else words.warn(said, "ulimit -n 16384 where it starts, or LimitNOFILE=16384.")
    for unit, limit in units.items():
        least = needed if unit == "countersign-stream" else 1024
        said = f"{unit}: {limit} may be open, {least} are needed"
        do = f"LimitNOFILE=16384 in {unit}.service, then systemctl daemon-reload and restart it."
        yield words.ok(said) if limit >= least else words.wrong(said, do)


def _limit_of(unit: str) -> int | None:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  (a program of this machine, with fixed arguments)
            [systemctl, "show", unit, "--property=LoadState,LimitNOFILESoft"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=5,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    limit = said.get("LimitNOFILESoft", "")
    return int(limit) if said.get("LoadState") == "loaded" and limit.isdecimal() else None


def _variables(text: str) -> dict[str, str]:
    """As systemd reads an EnvironmentFile whose values need no quotes; it takes those around a value away."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.startswith(("#", ";")))
    return {name: value.strip("'\"") for name, value in pairs}
