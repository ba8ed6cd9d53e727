"""What lies in deploy/ for containers, as it is read by the programs that use it."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import yaml

from portal.operating.doctor import environment
from tests import serving

ROOT: Final = Path(__file__).resolve().parents[3]
CONTAINERS: Final = ROOT / "deploy/containers"
KUBERNETES: Final = ROOT / "deploy/kubernetes"
# What a server is asked to do differently in a container: to answer others than its own machine.
EVERYWHERE: Final = "0.0.0.0"


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text())
    return read


def objects(*names: str) -> list[dict[str, Any]]:
    """The objects of those files; of all that hold some, unless any is named."""
    paths = [KUBERNETES / name for name in names] or [
        path for path in sorted(KUBERNETES.glob("*.yaml")) if path.name != "kustomization.yaml"
    ]
    return [each for path in paths for each in yaml.safe_load_all(path.read_text()) if each is not None]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in objects() if each["kind"] == kind]


def branches() -> dict[str, list[str]]:
    """By the first word that the entrypoint takes, the words of the command that it becomes."""
    text = (CONTAINERS / "entrypoint.sh").read_text()
    found = re.findall(r"^([a-z]+)\)\n(.*?)^    ;;", text, re.MULTILINE | re.DOTALL)
    return {name: shlex.split(body.replace("\\\n", " ").replace("exec ", "", 1)) for name, body in found}


def port_of(name: str) -> int:
    """Where that process listens."""
    words = branches()[name]
    return int(words[words.index("--port") + 1])


def unit(name: str) -> list[str]:
    """The words with which systemd starts the same."""
    return serving.started_by(f"countersign-{name}")


def unknown(names: set[str]) -> set[str]:
    """Those of the portal's settings that it does not read."""
    return {name for name in names if name.startswith("PORTAL_") and name not in environment.known_names()}
