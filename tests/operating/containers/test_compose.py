"""compose.yaml: what it names is there, in the image, in nginx's file and in PostgreSQL's."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgresql_server
from tests.operating.containers.files import CONTAINERS, ROOT, branches, compose, port_of

# Made by whoever installs it; docs/containers.md says how.
BROUGHT = {"environment", "owner", "./tls", "./secrets/postgres", "./secrets/owner", "./secrets/web"}
SERVICES = compose()["services"]
PORTAL = {"migrate", "web", "stream", "work"}


def test_the_services_there_are():
    assert {*PORTAL, "postgres", "redis", "nginx"} == set(SERVICES)
    assert {SERVICES[name]["image"].split(":")[0] for name in PORTAL} == {"countersign"}


@pytest.mark.parametrize("name", sorted(PORTAL))
def test_what_is_asked_of_the_image_it_can_do(name):
    service = SERVICES[name]
    assert service["command"][0] == name
    assert name in branches()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]


def test_every_file_that_is_named_is_there_or_brought():
    files = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    files += [path for service in SERVICES.values() for path in service.get("env_file", [])]
    files += [secret["file"] for secret in compose()["secrets"].values()]
    own = [path for path in files if path not in BROUGHT and path not in compose()["volumes"]]
    assert own
    assert [path for path in own if not (CONTAINERS / path).is_file()] == []
    build = SERVICES["migrate"]["build"]
    assert (CONTAINERS / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    guide = (ROOT / "docs/containers.md").read_text()
    assert [path for path in BROUGHT if path.removeprefix("./") not in guide] == []


def test_who_waits_for_whom():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, (name, other)
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"]
    assert SERVICES["web"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["stream"]["healthcheck"]["test"][-1] == str(port_of("stream"))


def test_nginx_finds_both_servers_in_its_own_network():
    """Its file is the one of a machine without containers."""
    text = (ROOT / "deploy/nginx/countersign.conf").read_text()
    assert set(re.findall(r"proxy_pass http://127\.0\.0\.1:(\d+);", text)) == {
        str(port_of(name)) for name in ("web", "stream")
    }
    assert {SERVICES[name]["network_mode"] for name in ("web", "stream")} == {"service:nginx"}
    assert set(re.findall(r"/etc/countersign/tls/(\S+);", text)) == {"certificate.pem", "key.pem"}
    (page,) = re.findall(r"error_page 502 504 (/\S+\.html);", text)
    (folder,) = re.findall(r"root (/opt/\S+);", text)
    assert f"../nginx{page}:{folder}{page}:ro" in SERVICES["nginx"]["volumes"]
    published = {port.split(":")[1] for port in SERVICES["nginx"]["ports"]}
    assert published == set(re.findall(r"listen (\d+)", text))
    written = SERVICES["nginx"]["command"][0].replace("$$", "$").split("&&")[0]
    named = subprocess.run(
        ["sh", "-c", written.split(">")[0].replace("/countersign.conf", str(ROOT / "deploy/nginx/countersign.conf"))],
        env={"COUNTERSIGN_HOST": "ours.example.test", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "server_name ours.example.test;" in named.stdout
    assert "portal.example.com;" not in named.stdout


def test_secrets_are_files_and_none_is_written_down():
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(compose()["secrets"])
    texts = [str(service.get("environment", "")) for service in SERVICES.values()]
    assert not [text for text in texts if re.search(r"PASSWORD'?: '(?!/run/secrets)", text)]
    script = (CONTAINERS / "passwords.sh").read_text()
    assert set(re.findall(r"/run/secrets/(\w+)", script)) | {"postgres"} == used


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the database's own user may enter: those of pytest are shut to others anew at each run."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_the_database_is_made_by_what_is_mounted_there(folder, monkeypatch):
    """A real server with that file of settings, both scripts, and then each role by its password."""
    if reason := postgresql_server.why_none():
        pytest.skip(reason)
    secrets = folder / "secrets"
    secrets.mkdir()
    passwords = {"owner": "of the owner's", "web": "it's $(web) \\ own"}
    for name, password in passwords.items():
        (secrets / name).write_text(password)
    script = (CONTAINERS / "passwords.sh").read_text().replace("/run/secrets", str(secrets))
    database = folder / "database"
    database.mkdir()
    with postgresql_server.running(database) as server:
        superuser = ["psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "--quiet", server.url("postgres")]
        mounted = "/docker-entrypoint-initdb.d/10-roles.sql"
        (roles,) = [each.split(":")[0] for each in SERVICES["postgres"]["volumes"] if mounted in each]
        subprocess.run([*superuser, "--file", str(CONTAINERS / roles)], check=True, capture_output=True)
        monkeypatch.setenv("PGHOST", "127.0.0.1")
        monkeypatch.setenv("PGPORT", str(server.port))
        monkeypatch.setenv("PGDATABASE", "postgres")
        monkeypatch.setenv("POSTGRES_USER", postgresql_server.SUPERUSER)
        subprocess.run(["sh", "-c", script], check=True, capture_output=True)
        # As `migrate` lets it in.
        subprocess.run(
            [*superuser, "-c", "GRANT CONNECT ON DATABASE countersign TO countersign_web"],
            check=True,
            capture_output=True,
        )
        rules = database / "data/pg_hba.conf"
        rules.write_text("host countersign all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n")
        server.stop()
        server.start()
        for name, password in passwords.items():
            with psycopg.connect(
                host="127.0.0.1", port=server.port, dbname="countersign", user=f"countersign_{name}", password=password
            ) as raw:
                assert raw.execute("SELECT current_user").fetchone() == (f"countersign_{name}",)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                host="127.0.0.1", port=server.port, dbname="countersign", user="countersign_web", password="other"
            )
