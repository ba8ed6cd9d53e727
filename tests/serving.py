"""How the portal is served: as the Makefile and the guide say it, so that the tests try what people run."""

import base64
import os
import re
import secrets
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
UNITS: Final = ROOT / "deploy/systemd"
# Of a portal in public, and what its proxy says a caller asked for.
HOST: Final = "portal.example.test"
# What a program needs of this machine. Nothing else is handed on: it would be set up as the tests are.
KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
# By this a process of the portal's own counts the lines that it goes through, if the tests do.
COUNTED: Final = "COVERAGE_PROCESS_CONFIG"


def surroundings() -> dict[str, str]:
    """The variables that a process of the portal finds, to which its settings are added."""
    return {name: value for name, value in os.environ.items() if name in {*KEPT, COUNTED}}


def production(database_url: str, data: Path) -> dict[str, str]:
    """The variables of a portal as it stands in public under `HOST`, behind a proxy on the same machine."""
    return surroundings() | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url,
        "PORTAL_VAR": str(data),
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(64),
        "PORTAL_SEALING_KEYS": "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_BASE_URL": f"https://{HOST}",
        "PORTAL_ALLOWED_HOSTS": HOST,
        "PORTAL_MAIL_FROM": f"portal@{HOST}",
        "PORTAL_TRUSTED_PROXIES": "127.0.0.1",
        # Mail is written, and thrown away.
        "EMAIL_URL": "dummymail://",
    }


def serving() -> list[str]:
    """The options of the server that do not depend on the machine."""
    return _variable("SERVE")


def at_one_address() -> list[str]:
    """The same as `make run` has it: pages, calls and sockets."""
    return [*serving(), *_variable("AT_ONE_ADDRESS")]


def streaming() -> list[str]:
    """The options of the server of sockets in production, without where it listens, as its unit has them."""
    program, application, *options = started_by("countersign-stream")
    assert (Path(program).name, application) == ("uvicorn", "portal.asgi:application")
    return options[: options.index("--host")]


def started_by(unit: str) -> list[str]:
    """The command that a unit starts."""
    found = re.search(r"^ExecStart=((?:[^\n]*\\\n)*[^\n]*)$", (UNITS / f"{unit}.service").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].replace("\\\n", " ").split()


def workers_of(pid: int) -> set[int]:
    """The processes that serve: those of the children that are no helper of Python's own."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in found if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()}


def _variable(name: str) -> list[str]:
    found = re.search(rf"^{name} = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()
