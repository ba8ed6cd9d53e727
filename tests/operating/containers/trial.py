"""Builds the image from a Debian of our own and runs it: `make container`. Needs root, buildah and mmdebstrap.

No engine and no registry: the base comes from Debian's packages, and each process runs in the image's files, as its
user, on a network of its own beside a real PostgreSQL.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from tests import postgresql_server, serving
from tests.machines import images, installation
from tests.operating import wheels
from tests.operating.containers.files import ROOT, port_of
from tests.postgresql_server import PostgresqlServer

BASE: Final = "localhost/countersign-base"
IMAGE: Final = "localhost/countersign"
PROGRAMS: Final = ("buildah", "mmdebstrap", "unshare", "ip")
BUILDAH: Final = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
USER: Final = 10001
ANSWERS_WITHIN: Final = 60.0


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def buildah(*words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["buildah", *words], env={**os.environ, **BUILDAH}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=900,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"buildah {' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip()


def build(folder: Path) -> None:
    """The base, once; the wheel of this checkout; the image, without any index but Debian's."""
    if not buildah("images", "--quiet", BASE, check=False):
        say("base: Debian by mmdebstrap")
        archive = folder / "base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", images.codename()]
        subprocess.run([*command, str(archive)], check=True, timeout=images.BUILT_WITHIN)
        container = buildah("from", "scratch")
        buildah("add", container, str(archive), "/")
        trusted = Path("/etc/ssl/certs/ca-certificates.crt")
        if trusted.exists():
            buildah("copy", container, str(trusted), str(trusted))
        buildah("commit", container, BASE)
        buildah("rm", container)
    say("image: as its recipe says")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    wheels.built(ROOT / "dist")
    given = {"BASE": BASE, "PIP_FIND_LINKS": "/wheels", "PIP_NO_INDEX": "1"}
    buildah(
        "bud", "--pull-never", "--format", "docker", "--layers",
        *[f"--build-arg={name}={value}" for name, value in given.items()],
        "--volume", f"{installation.wheelhouse()}:/wheels:ro",
        "--file", str(ROOT / "deploy/containers/Containerfile"), "--tag", IMAGE, str(ROOT),
    )  # fmt: skip


class Container:
    """The files of the image, and processes that run in them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.name = buildah("from", "--pull-never", IMAGE)
        self.root = Path(buildah("mount", self.name))
        self.environment = environment

    def command(self, *words: str) -> list[str]:
        given = [f"--env={name}={value}" for name, value in self.environment.items()]
        return ["buildah", "run", *given, self.name, "--", "countersign-container", *words]

    def run(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            self.command(*words), env={**os.environ, **BUILDAH}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
        return done

    @contextmanager
    def running(self, name: str) -> Iterator[int]:
        """The process of that name, until it is told to end; it has to end in time."""
        with subprocess.Popen(self.command(name), env={**os.environ, **BUILDAH}, stdin=subprocess.DEVNULL) as started:
            try:
                pid = self._main_process(started)
                yield pid
                os.kill(pid, signal.SIGTERM)
                started.wait(60)
                assert not Path(f"/proc/{pid}").exists()
            finally:
                started.kill()

    def written(self, since: float) -> list[str]:
        """What was written into the image's own files, which are to be mounted read only."""
        found = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
        inside = [path for path in found if path.stat().st_mtime > since]
        return [f"/{path.relative_to(self.root)}" for path in inside if path.relative_to(self.root).parts[0] != "tmp"]

    def _main_process(self, started: "subprocess.Popen[bytes]") -> int:
        until = time.monotonic() + ANSWERS_WITHIN
        marked = f"PORTAL_SECRET_KEY={self.environment['PORTAL_SECRET_KEY']}".encode()
        while time.monotonic() < until:
            assert started.poll() is None, "it ended"
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    is_ours = process.stat().st_uid == USER and marked in (process / "environ").read_bytes()
                    if is_ours and _is_of_the_image(int(process.name)):
                        return _topmost(int(process.name))
            time.sleep(0.1)
        raise AssertionError("it did not start")


def _topmost(pid: int) -> int:
    """The first of the line that runs from the image: above it stands what started it there, as the same user."""
    parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return _topmost(parent) if parent > 1 and _is_of_the_image(parent) else pid


def _is_of_the_image(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/opt/countersign/bin")


def ask(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    until = time.monotonic() + ANSWERS_WITHIN
    while True:
        with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            try:
                connection.request("GET", path, headers={"Host": serving.HOST, **(headers or {})})
                answer = connection.getresponse()
                return answer.status, b"" if answer.status == 101 else answer.read()
            except OSError:
                assert time.monotonic() < until, f"nobody answers at {port}"
                time.sleep(0.2)


def settings(server: PostgresqlServer) -> dict[str, str]:
    """Of a portal in public, but for what names a machine."""
    made = serving.production(server.url("countersign"), Path("/var/lib/countersign"))
    return {name: value for name, value in made.items() if name.startswith(("PORTAL_", "DATABASE_", "EMAIL_"))}


def run(folder: Path) -> None:
    """Every process of the image, one after the other, and what each answers."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    database = folder / "database"
    database.mkdir()
    with postgresql_server.running(database) as server:
        server.create("countersign")
        container = Container(settings(server))
        try:
            _tried(container)
        finally:
            buildah("rm", container.name, check=False)


def _tried(container: Container) -> None:
    began = time.time()
    container.run("migrate", "countersign_web")
    say("migrate: done, and the role that serves may do what it needs")
    with container.running("web") as pid:
        _says_who_it_is(pid)
        assert ask(port_of("web"), "/healthz") == (200, b"ok")
        status, said = ask(port_of("web"), "/readyz")
        assert status == 200, said
        assert json.loads(said)["static"] == "ok"
        assert ask(port_of("web"), "/sign-in/", {"X-Forwarded-Proto": "https"})[0] == 200
        assert b"unixtime" in ask(port_of("web"), "/0/public/Time", {"X-Forwarded-Proto": "https"})[1]
        assert container.run("healthy", str(port_of("web"))).returncode == 0
        assert container.run("healthy", str(port_of("stream")), check=False).returncode != 0
    say("web: healthy, ready, serves pages and bots, ends when it is told to")
    with container.running("stream") as pid:
        _says_who_it_is(pid)
        key = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        asked = {**key, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "X-Forwarded-Proto": "https"}
        assert ask(port_of("stream"), "/v2", asked)[0] == 101
    say("stream: takes a socket, ends when it is told to")
    with container.running("work") as pid:
        _says_who_it_is(pid)
    say("work: starts, ends when it is told to")
    done = container.run("doctor", "--json", check=False)
    found = json.loads(done.stdout)["findings"]
    subjects = {each["subject"] for each in found if each["level"] == "wrong"}
    assert not subjects & {"settings", "sealing keys", "database", "migrations", "static files", "versions"}, found
    say(f"doctor: {len(found)} lines")
    assert container.written(began) == []
    say("nothing was written but in /tmp")


def _says_who_it_is(pid: int) -> None:
    assert Path(f"/proc/{pid}").stat().st_uid == USER


def main() -> None:
    """Build, then run on a network of its own, where no port is anybody else's."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        sys.exit(f"root, buildah, mmdebstrap, unshare and ip are needed; missing: {', '.join(missing) or 'root'}")
    with tempfile.TemporaryDirectory(prefix="countersign-container-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        if sys.argv[1:] == ["run"]:
            run(folder)
            return
        build(folder)
        command = ["unshare", "--net", sys.executable, "-m", "tests.operating.containers.trial", "run"]
        sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
