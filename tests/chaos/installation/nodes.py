"""A node: nginx with TLS, pages and calls, sockets, and the worker, each a unit of systemd."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.installation.certificates import Certificates
from tests.machines import installation
from tests.machines.installation import Release
from tests.machines.machine import Machine
from tests.machines.networks import run
from tests.serving import HOST

UNITS: Final = ("countersign-web", "countersign-stream", "countersign-work")
EVERY_UNIT: Final = (*UNITS, "nginx")
BROUGHT: Final = "/root/brought"
CERTIFICATE: Final = ("--certificate", f"{BROUGHT}/host.pem", "--certificate-key", f"{BROUGHT}/host.key")
RELEASES: Final = "opt/countersign/releases"
COPIED_WITHIN: Final = 300
SITE: Final = "/etc/nginx/sites-available/countersign.conf"
# What its own programs tell it of, and how long they have to.
PROBED: Final = "curl --silent --max-time 4 --header 'Host: {host}' http://127.0.0.1:{port}{path}"


@dataclass(frozen=True)
class Node:
    """One of the installation's nodes."""

    machine: Machine

    @property
    def name(self) -> str:
        """Of its machine."""
        return self.machine.name

    def is_ready(self) -> bool:
        """Whether all of it is there: pages are ready, sockets answer, the worker runs, and nginx hands on."""
        return self.trouble() == ""

    def trouble(self) -> str:
        """What is not as it should be; empty if nothing."""
        if not self.machine.is_on:
            return "it is off"
        states = self.machine.run("systemctl", "is-active", *EVERY_UNIT, check=False).stdout.split()
        if states != ["active"] * len(EVERY_UNIT):
            return f"units are {states}"
        ready = self._asked(f"{PROBED.format(host=HOST, port=8000, path='/readyz')} --fail-with-body")
        if '"ready": true' not in ready and '"ready":true' not in ready:
            return f"pages are not ready: {ready}"
        if "ok" not in self._asked(PROBED.format(host=HOST, port=8001, path="/healthz")):
            return "sockets do not answer"
        through = (
            "curl --silent --insecure --max-time 4 --haproxy-protocol --header 'Host: {host}' https://127.0.0.1/healthz"
        )
        return "" if "ok" in self._asked(through.format(host=HOST)) else "nginx does not hand on"

    def said(self, since: str = "") -> str:
        """The journal of the portal's units."""
        units = [f"--unit={unit}" for unit in UNITS]
        given = [f"--since={since}"] if since else []
        return self.machine.run("journalctl", "--no-pager", "--output=cat", *units, *given).stdout

    def main_process(self, unit: str) -> int:
        """The unit's main process, as the machine counts."""
        return int(self.machine.run("systemctl", "show", "--property=MainPID", "--value", unit).stdout)

    def children(self, pid: int) -> list[int]:
        """Its processes that serve."""
        found = self.machine.run("pgrep", "--parent", str(pid), check=False).stdout.split()
        return [int(each) for each in found]

    def _asked(self, command: str) -> str:
        return self.machine.shell(command, check=False)


@dataclass(frozen=True, slots=True)
class Brought:
    """What operators bring to a machine that becomes a node: settings, the address of the owner of the database, a
    certificate, and a release, if it is another one than this checkout's.
    """

    environment: Mapping[str, str]
    owner_url: str
    certificates: Certificates
    release: Release | None = None


def install(machines: Sequence[Machine], brought: Brought, balancer: str) -> list[Node]:
    """Nodes as operators install them, one after the other; the first knows the owner of the database, and migrates it.

    The release that it made is copied to the others, which takes less long than to make it again.
    """
    first, *others = machines
    with tempfile.TemporaryDirectory() as folder:
        release = brought.release or installation.release(Path(folder))
        for machine in machines:
            _bring(machine, brought)
            installation.bring(machine, release)
    _install(first, "--owner-url", f"@{BROUGHT}/owner")
    for machine in others:
        folders = (machine.root / RELEASES).parent, machine.root / RELEASES
        run("install", "-d", "-m", "0755", *map(str, folders))
        run("cp", "-a", f"{first.root / RELEASES}/.", str(machine.root / RELEASES), within=COPIED_WITHIN)
        _install(machine)
    for machine in machines:
        stand_behind(machine, balancer)
    return [Node(machine) for machine in machines]


def bring_certificates(machine: Machine, own: Certificates) -> None:
    """What a node shows its callers, and whom it trusts itself: the mail server shows the same."""
    machine.put(f"{BROUGHT}/host.pem", own.host.read_bytes())
    machine.put(f"{BROUGHT}/host.key", own.key.read_bytes(), mode=0o600)
    machine.put("/usr/local/share/ca-certificates/authority.crt", own.authority.read_bytes())
    machine.run("update-ca-certificates")


def _install(machine: Machine, *owner: str) -> None:
    installation.run_installer(machine, "--environment", f"{BROUGHT}/environment", *owner, *CERTIFICATE)


def _bring(machine: Machine, brought: Brought) -> None:
    settings = "".join(f"{name}={value}\n" for name, value in brought.environment.items())
    machine.put(f"{BROUGHT}/environment", settings, mode=0o600)
    machine.put(f"{BROUGHT}/owner", brought.owner_url, mode=0o600)
    bring_certificates(machine, brought.certificates)


def stand_behind(machine: Machine, balancer: str) -> None:
    """Let nginx believe the balancer, and itself, whom a connection is from."""
    behind = f"proxy_protocol; set_real_ip_from {balancer}; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;"
    machine.run("sed", "-i", f"s/listen 443 ssl http2;/listen 443 ssl http2 {behind}/; /listen \\[::\\]:443/d", SITE)
    machine.run("systemctl", "reload", "nginx")
