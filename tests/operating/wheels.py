"""The wheel of this checkout, built as `make wheel` builds it, and copies installed from it."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def built(folder: Path, *, code: Path = ROOT) -> Path:
    """The wheel of that code, in that folder. Nothing is fetched for it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=code, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """Where the commands of a copy lie that was installed there, beside the packages that the tests run with."""
    venv.create(folder)
    (site_packages,) = folder.glob("lib/*/site-packages")
    (site_packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    commands = folder / "bin"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", str(commands / "python"), "install", "--quiet", "--no-deps",
            "--no-index", str(wheel),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return commands


def as_version(wheel: Path, folder: Path, version: str) -> Path:
    """The same wheel as a release of another version: nothing but its name and what it says of itself differs."""
    name, before, tags = wheel.name.split("-", 2)
    other = folder / f"{name}-{version}-{tags}"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            entry.filename = entry.filename.replace(f"{name}-{before}.dist-info/", f"{name}-{version}.dist-info/")
            if entry.filename.endswith(".dist-info/METADATA"):
                content = content.replace(f"\nVersion: {before}\n".encode(), f"\nVersion: {version}\n".encode())
            elif entry.filename.endswith(".dist-info/RECORD"):
                content = _recorded(content.decode(), f"{name}-{before}", f"{name}-{version}").encode()
            target.writestr(entry, content)
    return other


def _recorded(record: str, before: str, after: str) -> str:
    """The list of what a wheel holds, without the digest of what has changed."""
    lines = [line.replace(f"{before}.dist-info/", f"{after}.dist-info/") for line in record.splitlines()]
    return "".join(f"{line.split(',')[0]},,\n" if ".dist-info/METADATA," in line else f"{line}\n" for line in lines)
