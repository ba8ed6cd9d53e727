"""An installation as an operator makes it: the wheel of this checkout, the packages it was tried with, one command."""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import release as version
from tests.machines import images
from tests.machines.machine import Machine
from tests.operating import wheels
from tests.operating.wheels import ROOT
from tests.upgrades import previous

LOCKS: Final = ("build", "runtime")
# Some sixty packages, with room for a slow line.
FETCHED_WITHIN: Final = 600
# What a machine has beforehand, so that nothing has to be fetched: all else is done by `install.sh`.
PACKAGES: Final = ("python3-venv", "postgresql", "postgresql-client", "nginx", "redis-server")
DOMAIN: Final = "portal.example.test"
# Where a release lies on a machine, as `make wheel` has it in `dist`, with the packages that it needs.
BROUGHT: Final = "/root/countersign"
INSTALLED_WITHIN: Final = 600


@dataclass(frozen=True)
class Release:
    """What an operator brings to a machine: the wheel, a folder with every package that it needs, the installer."""

    wheel: Path
    wheels: Path
    installer: Path

    @property
    def version(self) -> str:
        """As the wheel is named."""
        return self.wheel.name.split("-")[1]


def release(folder: Path | None = None) -> Release:
    """The release of this checkout as it stands; built into the folder, or one of its own that stays."""
    folder = folder or Path(tempfile.mkdtemp(prefix="countersign-release-"))
    return Release(wheels.built(folder), wheelhouse(), ROOT / "deploy/install.sh")


def release_before(folder: Path) -> Release:
    """The release before this one, and the files that it is installed by: ours under another number where none is had.

    Ours serves as well where the release before had no installer yet, or bears our own number.
    """
    if not previous.why_none():
        found = previous.unpacked(folder / "code")
        if found.knows("deploy/install.sh") and found.version != version.release():
            own = wheels.built(folder, code=found.code)
            return Release(own, wheelhouse(found.code), found.code / "deploy/install.sh")
    (folder / "ours").mkdir()
    own = wheels.as_version(wheels.built(folder / "ours"), folder, "0.0.9")
    return Release(own, wheelhouse(), ROOT / "deploy/install.sh")


def wheelhouse(code: Path = ROOT) -> Path:
    """Every package that is locked, so that a machine without a way out can be given them. Fetched once, and kept."""
    locks = [code / f"requirements/{name}.txt" for name in LOCKS]
    name = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:16]
    images.KEPT.mkdir(parents=True, exist_ok=True)
    folder = images.KEPT / f"wheels-{name}"
    with (images.KEPT / f"wheels-{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(locks, folder)
    return folder


def _fetch(locks: list[Path], folder: Path) -> None:
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for lock in locks:
        # From where this machine's pip is set up to fetch: the hashes say whether it is what was asked for.
        command = ["-m", "pip", "download", "--quiet", "--require-hashes", "--requirement", str(lock)]
        done = subprocess.run(
            [sys.executable, *command, "--dest", str(unfinished)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=FETCHED_WITHIN,
        )  # fmt: skip
        assert done.returncode == 0, f"pip download: {done.stderr[-3000:]}"
    for path in (unfinished, *unfinished.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    unfinished.rename(folder)


def bring(machine: Machine, brought: Release) -> None:
    """Copy a release to a machine, as `scp` would; another wheel lies beside the one before."""
    if not (machine.root / BROUGHT.lstrip("/")).exists():
        machine.copy(brought.installer.parent, BROUGHT)
        machine.copy(brought.wheels, f"{BROUGHT}/wheels")
    machine.copy(brought.wheel, f"{BROUGHT}/{brought.wheel.name}")


def install(
    machine: Machine, brought: Release, *options: str, domain: str = DOMAIN, mail_url: str = "dummymail://",
    check: bool = True,
) -> "subprocess.CompletedProcess[str]":  # fmt: skip
    """Install a release there, as an operator does it for the first time, and say what the command printed."""
    bring(machine, brought)
    given = ["--domain", domain, "--mail-url", mail_url, "--mail-from", f"portal@{domain}"]
    return run_installer(machine, *given, *options, check=check)


def run_installer(machine: Machine, *options: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run `install.sh` there, with whatever release was brought last."""
    command = ["bash", f"{BROUGHT}/install.sh", "--wheels", f"{BROUGHT}/wheels", *options]
    return machine.run(*command, check=check, timeout=INSTALLED_WITHIN)


@dataclass(frozen=True)
class Person:
    """What somebody signs in with: the secret is the one of their authenticator app."""

    email: str
    password: str
    secret: str


def found(machine: Machine, name: str = "Example Ltd") -> Person:
    """Found an Organization there, as the installer says at its end, and say how its Owner gets in."""
    email, password = "olive@example.test", "a long walk by the harbour"
    said = machine.run(
        "countersign", "createorganization", "--name", name, "--currency", "USD", "--owner-email", email,
        "--owner-name", "Olive Owner", "--password-stdin", given=f"{password}\n",
    ).stdout  # fmt: skip
    (secret,) = re.findall(r"^  secret  ([A-Z2-7 ]+)$", said, re.MULTILINE)
    return Person(email, password, secret.replace(" ", ""))


def fund(machine: Machine, organization: str = "Example Ltd") -> None:
    """Let 100,000 USD arrive for its Main Account, on the paper exchange, and wait until they count."""
    given = ("--organization", organization, "--asset", "USD", "--amount", "100000")
    said = machine.run("countersign", "paperdeposit", *given).stdout
    (counts,) = re.findall(r"^It counts from ([0-9:]{8}) UTC on\.$", said, re.MULTILINE)
    machine.shell(f"until [[ $(date --utc +%T) > {counts} ]]; do sleep 0.2; done")


# As the Owner would do it on two pages, and in the same functions.
MAKE_KEY: Final = """
import json
from accounts.api_keys import lifecycle
from accounts.models import Account, ApiKey, Member
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies.changes import propose
owner = Member.objects.get(user__email="{email}")
propose(create_service_user, actor=owner, params=CreateServiceUser(
    name="{name}", account_id=Account.objects.get(organization=owner.organization, name="Main").pk,
    permissions=("query-funds", "withdraw-funds", "query-open-trades", "modify-trades", "close-trades"),
    expires_at=None, query_start=None, query_end=None, websocket=True, nonce_window=0, ip_allow_list=(),
    acknowledged=True,
))
key = ApiKey.objects.get(service_user__name="{name}")
revealed = lifecycle.reveal(key.pk, member=owner)
print(json.dumps([revealed.public, revealed.secret]))
"""


def make_key(machine: Machine, owner: Person, name: str = "treasury-bot") -> tuple[str, str]:
    """A key and its secret, of a new Service User there."""
    given = MAKE_KEY.format(email=owner.email, name=name)
    said = machine.run("countersign", "shell", given=given).stdout
    key, secret = json.loads(said.splitlines()[-1])
    return key, secret
