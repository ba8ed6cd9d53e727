"""What is shown of an error while the portal is being tried out, and who may read what it leaves."""

import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import include, path
from django.views.debug import get_exception_reporter_filter

from portal.local import keep_private


@login_not_required
def broken(request):
    password = request.POST["password"]
    raise RuntimeError("it broke", len(password))


urlpatterns = [path("broken/", broken), path("", include("portal.urls"))]


@pytest.mark.urls("tests.core.web.test_debug_pages")
@pytest.mark.django_db
def test_the_page_of_an_error_shows_nothing_that_anybody_sent(settings, caplog):
    """fault security-L12: it showed DATABASE_URL with its password, and what was posted."""
    settings.DEBUG = True
    settings.DATABASE_URL = "postgres://portal:canary-of-the-database@host/portal"
    settings.REDIS_URL = "redis://:canary-of-redis@host:6379/0"
    client = Client(raise_request_exception=False)
    client.cookies["session"] = "canary-of-the-session"
    answer = client.post(
        "/broken/?next=/",
        {"password": "canary-of-a-password"},
        DATABASE_URL="canary-of-the-environment",
        HTTP_API_SIGN="canary-of-a-header",
    )
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "it broke" in text
    assert "canary" not in text


def test_what_a_view_calls_sensitive_is_hidden_also_while_debug_is_on(settings, rf):
    """Django asks whether to hide at all, and by itself does so in production only."""
    settings.DEBUG = True
    request = rf.post("/", {"password": "canary", "name": "Nora"})
    request.sensitive_post_parameters = ["password"]
    found = get_exception_reporter_filter(request).get_cleansed_multivaluedict(request, request.POST)
    assert "canary" not in str(found)


def test_files_are_for_their_owner_alone(tmp_path):
    """fault security-L13: the database and mail with links were 0644; only the folder of `make run` kept them."""
    (tmp_path / "mail").mkdir(mode=0o755)
    for name in ("portal.sqlite3", "portal.sqlite3-wal", "demo.json", "mail/1.log", "other"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    before = os.umask(0o022)
    try:
        keep_private(tmp_path)
        (tmp_path / "new").write_text("x")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {
        "mail": 0o700,
        "portal.sqlite3": 0o600,
        "portal.sqlite3-wal": 0o600,
        "demo.json": 0o600,
        "1.log": 0o600,
        "new": 0o600,
        "other": 0o644,
    }


def test_a_folder_of_ones_own_gets_private_files(tmp_path):
    """fault security-L13: PORTAL_VAR of one's own, open to others."""
    tmp_path.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path)}
    command = f"umask 022; {sys.executable} manage.py migrate portal_work --verbosity 0 --skip-checks"
    subprocess.run(command, shell=True, cwd=settings.BASE_DIR, env=environment, check=False, timeout=120)
    made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert "portal.sqlite3" in made
    assert all(mode & 0o077 == 0 for mode in made.values()), made
