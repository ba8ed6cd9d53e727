"""The examples of the page that reveals a secret, run as somebody would who pastes them."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from accounts.api_keys.client_snippets import snippets
from tests.api.calls import FORM, sign

pytestmark = pytest.mark.slow
NEEDED = ("bash", "curl", "openssl", "base64", "od")


def run(portal, client: str, program: list[str]) -> str:
    key, secret = portal.keys["trading-bot"]
    (example,) = [each.code for each in snippets(portal.url) if each.key == client]
    answer = subprocess.run(
        [*program, example],
        env={"PATH": os.environ["PATH"], "API_KEY": key, "API_SECRET": secret},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("client", ["krakenex", "ccxt"])
def test_the_example_of_a_library_works(portal, client):
    assert "'apiKeyName': 'trading-bot'" in run(portal, client, [sys.executable, "-c"])


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="curl, openssl or a shell is not installed")
def test_the_example_of_the_shell_works(portal):
    answer = json.loads(run(portal, "curl", ["bash", "-c"]))
    assert answer["result"]["apiKeyName"] == "trading-bot"


def test_calls_are_written_beside_the_calls(portal):
    """Hot path §3: by the thread of a real server."""
    key, secret = portal.keys["trading-bot"]
    path = "/0/private/GetApiKeyInfo"
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=30)) as connection:
        for _ in range(3):
            nonce = str(time.time_ns() // 1_000_000 + 1)
            body = f"nonce={nonce}".encode()
            headers = {"API-Key": key, "API-Sign": sign(secret, path, nonce, body), "Content-Type": FORM}
            connection.request("POST", path, body, headers)
            assert json.loads(connection.getresponse().read())["error"] == []
            time.sleep(0.01)
    deadline = time.monotonic() + 20
    while (total := counted(portal)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert total >= 3


def counted(portal) -> int:
    """What the server has written, asked of its own database."""
    program = (
        "import django; django.setup(); from accounts.models import KeyUse; "
        "print(sum(KeyUse.objects.filter(kind='Queries').values_list('calls', flat=True)))"
    )
    environment = {**portal.environment, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    asked = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return int(asked.stdout)
