"""The image: what its recipe copies is there, what it runs is what systemd runs, and nobody in it is root."""

import re
import subprocess

import pytest

from portal.dashboard.views.health import PROBES
from tests.operating.containers.files import CONTAINERS, EVERYWHERE, ROOT, branches, port_of, unit, unknown

RECIPE = (CONTAINERS / "Containerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in RECIPE.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [
        (word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in joined if line.strip())
    ]


def of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def test_what_is_copied_is_there_and_let_through():
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for line in of("COPY")
        if "--from=" not in line
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    }
    # The release is built first.
    copied.remove("${WHEEL}")
    assert [source for source in copied if not (ROOT / source).is_file()] == []
    assert let_through == {*copied, "dist/*.whl"}
    (wheel,) = [line for line in of("ARG") if line.startswith("WHEEL=")]
    project = re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    assert wheel == f"WHEEL=dist/{project.replace('-', '_')}-*.whl"
    assert "dist" in (ROOT / "Makefile").read_text()


def test_it_runs_as_somebody_who_is_not_root():
    names = [word for word, _ in instructions()]
    (user,) = of("USER")
    assert int(user.split(":")[0]) > 1000
    assert f"--uid {user.split(':')[0]} " in RECIPE
    assert names.index("ENTRYPOINT") > names.index("USER")
    assert [name for name in names[names.index("USER") :] if name in {"COPY", "ADD"}] == []


def test_every_package_is_installed_by_its_hash_or_from_what_lies_there():
    installs = re.findall(r"pip (?:install|wheel) [^&]+", " && ".join(of("RUN")))
    assert len(installs) == 3
    assert [line for line in installs if "--require-hashes" not in line and "--no-index --no-deps" not in line] == []


def test_what_may_be_asked_of_it():
    assert set(branches()) == {"web", "stream", "work", "migrate", "healthy", "static"}
    assert of("EXPOSE") == [f"{port_of('web')} {port_of('stream')}"]
    assert f'"healthy", "{port_of("web")}"' in of("HEALTHCHECK")[0]
    assert "/healthz" in (CONTAINERS / "entrypoint.sh").read_text()
    assert "/healthz" in PROBES
    assert unknown(set(re.findall(r"\b(PORTAL_\w+)=", RECIPE + (CONTAINERS / "entrypoint.sh").read_text()))) == set()


@pytest.mark.parametrize("name", ["web", "stream", "work"])
def test_each_process_is_started_as_systemd_starts_it(name):
    """But that it answers the proxy of another machine."""
    started, expected = branches()[name], unit(name)
    assert expected[0].endswith(f"/bin/{started[0]}")
    assert started[1:] == [EVERYWHERE if word == "127.0.0.1" else word for word in expected[1:]]


@pytest.mark.parametrize("name", ["entrypoint.sh", "passwords.sh"])
def test_the_shell_reads_its_scripts(name):
    subprocess.run(["sh", "-n", str(CONTAINERS / name)], check=True)
    assert (CONTAINERS / name).stat().st_mode & 0o111
