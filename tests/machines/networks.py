"""The wire between machines: a bridge in a namespace of its own, which machines are plugged into."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.machines.ending.leftovers import clear_wires

# Of each run another one, so that two of them do not meet.
ADDRESSES: Final = "10.{second}.{third}"
# Where the outside is, as this machine sees it: only while a way out is open.
UPLINK: Final = "100.{second}.{third}"


def run(*command: str, check: bool = True, within: float = 60) -> str:
    """What a command of this machine prints; fails with what it says."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=within
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Network:
    """A bridge, and the namespace in which it lies: whoever drives the machines does so from there."""

    name: str
    prefix: str

    @property
    def gateway(self) -> str:
        """The address of whoever drives the machines."""
        return f"{self.prefix}.1"

    @property
    def inside(self) -> list[str]:
        """What a command of this machine begins with, to run where the machines can be reached."""
        return ["ip", "netns", "exec", self.name]

    def address(self, number: int) -> str:
        """Of the machine with that number, from 1 to 200."""
        return f"{self.prefix}.{10 + number}"

    def plug(self, namespace: str, address: str) -> None:
        """Give a machine, by the namespace of its own, a cable to the bridge."""
        run("ip", "netns", "add", namespace)
        outer = self.cable(namespace)
        run("ip", "-n", self.name, "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "-n", self.name, "link", "set", outer, "master", "wire", "up")
        run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", namespace, "link", "set", device, "up")
        run("ip", "-n", namespace, "route", "add", "default", "via", self.gateway)

    def unplug(self, namespace: str) -> None:
        """Take its cable away, and its namespace, which goes with the last process in it."""
        run("ip", "-n", self.name, "link", "del", self.cable(namespace), check=False)
        run("ip", "netns", "del", namespace, check=False)

    @staticmethod
    def cable(namespace: str) -> str:
        """What the end of a machine's cable is called at the bridge."""
        return f"v{namespace[-12:]}"

    @contextmanager
    def way_out(self) -> Iterator[None]:
        """While it lasts, machines reach what this machine reaches: to install packages, and for nothing else."""
        near, far = (f"{_numbered(UPLINK, self.prefix)}.{last}" for last in (1, 2))
        outer = f"u{self.name[-12:]}"
        masquerade = ("POSTROUTING", "-s", f"{far}/32", "-j", "MASQUERADE")
        ways = [("FORWARD", "-i", outer, "-j", "ACCEPT"), ("FORWARD", "-o", outer, "-j", "ACCEPT")]
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "uplink", "netns", self.name)
        run("ip", "addr", "add", f"{near}/30", "dev", outer)
        run("ip", "link", "set", outer, "up")
        run("ip", "-n", self.name, "addr", "add", f"{far}/30", "dev", "uplink")
        run("ip", "-n", self.name, "link", "set", "uplink", "up")
        run("ip", "-n", self.name, "route", "add", "default", "via", near)
        run(*self.inside, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        run(*self.inside, "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "uplink", "-j", "MASQUERADE")
        before = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()
        run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        run("iptables", "-t", "nat", "-A", *masquerade)
        for way in ways:
            run("iptables", "-I", *way)
        try:
            yield
        finally:
            for way in ways:
                run("iptables", "-D", *way, check=False)
            run("iptables", "-t", "nat", "-D", *masquerade, check=False)
            run("sysctl", "-q", "-w", f"net.ipv4.ip_forward={before}", check=False)
            run("ip", "link", "del", outer, check=False)


@contextmanager
def laid() -> Iterator[Network]:
    """A network without machines. It goes at the end, whatever is plugged in."""
    number = os.getpid()
    network = Network(f"wire{number}", ADDRESSES.format(second=64 + number // 256 % 64, third=number % 256))
    clear_wires()
    run("ip", "netns", "add", network.name)
    try:
        run("ip", "-n", network.name, "link", "add", "wire", "type", "bridge")
        run("ip", "-n", network.name, "addr", "add", f"{network.gateway}/24", "dev", "wire")
        for device in ("lo", "wire"):
            run("ip", "-n", network.name, "link", "set", device, "up")
        yield network
    finally:
        run("ip", "netns", "del", network.name, check=False)


def _numbered(pattern: str, prefix: str) -> str:
    _, second, third = prefix.split(".")
    return pattern.format(second=second, third=third)


@contextmanager
def named(network: Network, addresses: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, programs that run `network.inside` find those names at those addresses, as if by DNS."""
    folder = Path("/etc/netns") / network.name
    folder.mkdir(parents=True)
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    (folder / "hosts").write_text("".join(f"{line}\n" for line in lines))
    try:
        yield
    finally:
        shutil.rmtree(folder)
