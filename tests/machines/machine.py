"""One machine: started, spoken to as root, cut off from others, killed, and started again with its disk."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.machines import images
from tests.machines.ending.leftovers import Watch
from tests.machines.networks import Network, run

STARTED_WITHIN: Final = 60.0
ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


@dataclass
class Machine:
    """A Debian with a disk of its own: what it writes lies over the image, in `folder`.

    `disks` are further ones, by where they are mounted, with their size in MiB: such a one can be full. Each begins
    with what the image has there.
    """

    name: str
    address: str
    network: Network
    image: Path
    folder: Path
    disks: Mapping[str, int] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    watch: Watch | None = field(default=None, repr=False)
    starts: int = field(default=0, repr=False)

    @property
    def root(self) -> Path:
        """Its disk, as this machine sees it."""
        return self.folder / "root"

    @property
    def namespace(self) -> str:
        """Of its network."""
        return f"{self.name[:5]}{self.network.name[4:]}"

    @property
    def group(self) -> str:
        """Of its processes. What is left of one whose plug was pulled goes late: each start has one of its own."""
        return f"{self.namespace}-{self.starts}"

    @property
    def leader(self) -> int:
        """Its first process, as this machine counts."""
        assert self.process is not None, f"{self.name} is off"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert children, f"{self.name} has ended: {self.console()}"
        return int(children[0])

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Switch it on, and wait until its services are started."""
        self._mount()
        self.network.plug(self.namespace, self.address)
        self.starts += 1
        with (self.folder / "console").open("ab") as console:
            self.process = subprocess.Popen(
                [
                    "systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no", "--keep-unit",
                    f"--machine={self.name}", f"--hostname={self.name}", "--link-journal=no", "--console=pipe",
                    f"--network-namespace-path=/run/netns/{self.namespace}", "--resolv-conf=copy-host",
                    "--timezone=off",
                ],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                preexec_fn=self._into_a_group_of_its_own,  # noqa: PLW1509  (nobody else starts a thread here)
            )  # fmt: skip
        mounts = [*(self.root / place.strip("/") for place in self.disks), self.root]
        cable = self.network.cable(self.namespace)
        self.watch = Watch(
            self.process.pid, namespace=self.namespace, wire=self.network.name, cable=cable, mounts=mounts
        )
        self._wait_until_started()

    def stop(self) -> None:
        """Switch it off in order."""
        if self.process is not None and self.is_on:
            with contextlib.suppress(AssertionError, ProcessLookupError):
                os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.kill()
        self._off()

    def kill(self) -> None:
        """Pull its plug: everything on it ends at once."""
        if self.process is not None and self.is_on:
            with contextlib.suppress(AssertionError, ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.process.kill()
            self.process.wait(30)
        self._off()

    def run(
        self, *command: str, given: str | None = None, check: bool = True, timeout: float = 120, user: str = "root",
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":  # fmt: skip
        """Run a command there, and say what it printed; with `check` it has to end with 0."""
        done = subprocess.run(
            [*self.inside(user=user, environment=environment), *command], input=given,
            stdin=subprocess.DEVNULL if given is None else None, capture_output=True, text=True, check=False,
            timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, (
            f"{self.name}: {' '.join(command)[:500]}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done

    def shell(self, script: str, *, check: bool = True, timeout: float = 120) -> str:
        """What a script of bash prints there; it stops at its first failure."""
        return self.run("bash", "-euo", "pipefail", "-c", script, check=check, timeout=timeout).stdout

    def inside(self, *, user: str = "root", environment: Mapping[str, str] | None = None) -> list[str]:
        """What a command of this machine begins with, to run in that one."""
        variables = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(environment or {})}.items()]
        become = [] if user == "root" else ["runuser", "-u", user, "--"]
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--", "env", "-i", *variables, *become]

    def put(self, path: str, text: str | bytes, *, mode: int = 0o644) -> None:
        """Write a file there."""
        there = self.root / path.lstrip("/")
        with _readable():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(text if isinstance(text, bytes) else text.encode())
        there.chmod(mode)

    def copy(self, source: Path, path: str) -> None:
        """Copy a file or a folder of this machine there."""
        there = self.root / path.lstrip("/")
        with _readable():
            there.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, there)

    def cut_off(self, *addresses: str) -> None:
        """Drop every packet between it and those addresses, or all others if none is named. Nobody is told."""
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d")):
            for address in addresses or (f"{self.network.prefix}.0/24",):
                self._iptables("-I", chain, side, address, "-j", "DROP")

    def join_again(self) -> None:
        """Let packets through again."""
        self._iptables("-F")

    def console(self) -> str:
        """The last that it said while it started."""
        console = self.folder / "console"
        return console.read_text(errors="replace")[-3000:] if console.exists() else ""

    def _iptables(self, *rule: str) -> None:
        run("ip", "netns", "exec", self.namespace, "iptables", *rule)

    def _into_a_group_of_its_own(self) -> None:
        for hierarchy in Path("/sys/fs/cgroup").iterdir():
            group = hierarchy / self.group
            with contextlib.suppress(OSError):
                group.mkdir(exist_ok=True)
                (group / "cgroup.procs").write_text(str(os.getpid()))

    def _mount(self) -> None:
        with _readable():
            for name in ("upper", "work", "root"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={self.image},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        for place, size in self.disks.items():
            self._mount_disk(place.strip("/"), size)

    def _mount_disk(self, place: str, size: int) -> None:
        disk, where = self.folder / place.replace("/", "-"), self.root / place
        is_new = not disk.exists()
        if is_new:
            with disk.open("wb") as file:
                file.truncate(size * 2**20)
            run("mkfs.ext4", "-q", "-m", "0", str(disk))
        with _readable():
            where.mkdir(parents=True, exist_ok=True)
        run("mount", "-o", "loop", str(disk), str(where))
        if is_new:
            begins_with = self.image / place
            if begins_with.is_dir():
                run("cp", "-a", f"{begins_with}/.", str(where))

    def _wait_until_started(self) -> None:
        until = time.monotonic() + STARTED_WITHIN
        state = ""
        while time.monotonic() < until:
            assert self.is_on, f"{self.name}: {self.console()}"
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                state = self.run("systemctl", "is-system-running", check=False, timeout=10).stdout.strip()
            if state in {"running", "degraded"}:
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.name} is {state or 'silent'} after {STARTED_WITHIN:.0f} s: {self.console()}")

    def _off(self) -> None:
        self.process = None
        self.network.unplug(self.namespace)
        if self.watch is not None:
            self.watch.leave()
            self.watch = None
        for place in self.disks:
            run("umount", "--lazy", str(self.root / place.strip("/")), check=False)
        run("umount", "--lazy", str(self.root), check=False)
        for hierarchy in Path("/sys/fs/cgroup").iterdir():
            group = hierarchy / self.group
            for folder in sorted(group.rglob("*"), reverse=True) if group.is_dir() else ():
                if folder.is_dir():
                    with contextlib.suppress(OSError):
                        folder.rmdir()
            with contextlib.suppress(OSError):
                group.rmdir()


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """While it lasts, what is made is for all who are there: the portal's settings keep theirs to themselves."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def machines(
    network: Network, folder: Path, names: list[str], packages: tuple[str, ...] = (),
    disks: Mapping[str, Mapping[str, int]] | None = None,
) -> Iterator[list[Machine]]:  # fmt: skip
    """Machines with these packages, started; they and their disks go at the end. `disks` are by the machine's name."""
    image = images.built(*packages)
    own = [
        Machine(name, network.address(number), network, image, folder / name, (disks or {}).get(name, {}))
        for number, name in enumerate(names, start=1)
    ]
    try:
        for machine in own:
            machine.start()
            _know_each_other(machine, own)
        yield own
    finally:
        for machine in own:
            machine.kill()
            shutil.rmtree(machine.folder, ignore_errors=True)


def _know_each_other(machine: Machine, others: list[Machine]) -> None:
    lines = ["127.0.0.1 localhost", *(f"{other.address} {other.name}" for other in others)]
    machine.put("/etc/hosts", "".join(f"{line}\n" for line in lines))
