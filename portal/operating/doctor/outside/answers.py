"""What pages, bots and sockets are answered through the proxy."""

import base64
import json
import os
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, Final

from django.conf import settings

from portal.operating.doctor.clock import apart
from portal.operating.doctor.findings import Finding, Words
from portal.operating.doctor.outside.site import Answer, Site

HALF_A_YEAR: Final = 180 * 24 * 3600
TIME: Final = "/0/public/Time"
MOVED: Final = {301, 302, 307, 308}
# By what `/readyz` says is not as it should be.
DO: Final = {
    "database": "manage.py doctor on that node says more.",
    "migrations": "manage.py migrate, or replace this node by the later release.",
    "sealing": "Give it the keys that the other nodes have.",
    "static": "manage.py collectstatic, and start it anew.",
    "duties": "systemctl restart countersign-work",
    "mail": "manage.py doctor on that node says more.",
    "counters": "See after Redis.",
    "proxies": "List the proxy in PORTAL_TRUSTED_PROXIES.",
}


def look_at_readiness(site: Site) -> Iterator[Finding]:
    """What the node that answers says of itself."""
    words = Words("ready")
    answer = site.ask("/readyz")
    if answer.status == 503:
        # It may have been busy for the two seconds that it looks, and says so for five: what lasts is what counts.
        time.sleep(settings.READINESS_KEPT_SECONDS + 1)
        answer = site.ask("/readyz")
    said = _json(answer)
    if "ready" not in said:
        yield words.wrong(f"/readyz answers {answer.status}, not as the portal does", "See the proxy's error log.")
        return
    for what, do in DO.items():
        word = said.get(what, "ok")
        if word != "ok":
            found = f"{what}: {word}" + (f" ({', '.join(said['late'])})" if what == "duties" else "")
            yield words.warn(found, do) if what in said["degraded"] else words.wrong(found, do)
    if said["ready"] and not said["degraded"]:
        yield words.ok(f"release {said['version']}, counts failed calls in {said['flood_limit']}")


def look_at_pages(site: Site) -> Iterator[Finding]:
    """The page that everybody begins with, and its headers."""
    words = Words("pages")
    answer = site.ask("/sign-in/")
    if answer.status != 200:
        do = "Add the host to PORTAL_ALLOWED_HOSTS, and pass it on: proxy_set_header Host $http_host."
        yield words.wrong(f"/sign-in/ answers {answer.status}", do if answer.status == 400 else "See the portal's log.")
        return
    transport = answer.headers.get("strict-transport-security", "")
    age = next((part.partition("=")[2] for part in transport.split(";") if part.strip().startswith("max-age")), "")
    if not age.isdecimal() or int(age) < HALF_A_YEAR:
        yield words.wrong(
            f"Strict-Transport-Security is {transport or 'not sent'}",
            "The portal sends it unless PORTAL_DEBUG is on: the proxy must not take it away.",
        )
    elif "frame-ancestors 'none'" not in answer.headers.get("content-security-policy", ""):
        yield words.wrong("Content-Security-Policy does not come through", "The proxy must not take it away.")
    else:
        yield words.ok("/sign-in/ answers, with HSTS and CSP")


def look_at_bots(site: Site) -> Iterator[Finding]:
    """A public call: it is answered as it is, and tells the time."""
    words = Words("bots")
    before = time.time()
    answer = site.ask(TIME)
    there = _json(answer).get("result", {}).get("unixtime")
    if answer.status in MOVED:
        yield words.wrong(f"{TIME} is redirected: no bot follows", "The proxy must not redirect /0/.")
    elif not isinstance(there, int):
        yield words.wrong(f"{TIME} answers {answer.status} without a time", "Pass /0/ on to countersign-web.")
    else:
        yield words.ok(f"{TIME} answers in {(time.time() - before) * 1000:.0f} ms")
        # It tells whole seconds.
        yield apart("the portal's", there + 0.5 - (before + time.time()) / 2, words=words)


def look_at_sockets(site: Site) -> Iterator[Finding]:
    """Whether `/v2` becomes a WebSocket (RFC 6455)."""
    words = Words("sockets")
    key = base64.b64encode(os.urandom(16)).decode()
    wanted = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    answer = site.ask("/v2", wanted)
    if answer.status == 101:
        yield words.ok("/v2 becomes a WebSocket")
    else:
        yield words.wrong(
            f"/v2 answers {answer.status} instead of becoming a WebSocket",
            "See whether countersign-stream runs, and the location /v2 of deploy/nginx/countersign.conf.",
        )


def look_at_plain(site: Site) -> Iterator[Finding]:
    """Without TLS pages are sent on, and bots refused."""
    words = Words("plain http")
    try:
        page = site.ask_plainly("/")
    except (OSError, HTTPException):
        yield words.ok(f"nothing answers at port {site.plain_port}")
        return
    if page.status in MOVED and page.headers.get("location", "").startswith(f"https://{site.host}"):
        yield words.ok(f"port {site.plain_port} sends pages on to https")
    else:
        yield words.wrong(
            f"port {site.plain_port} answers {page.status} to a page", "Send pages on there: return 308 https://…"
        )
    call = site.ask_plainly(TIME)
    if call.status in MOVED:
        yield words.warn(
            f"port {site.plain_port} sends bots on: what they signed has gone over the wire by then",
            "Refuse /0/ there: return 403.",
        )
    elif "unixtime" in _json(call).get("result", {}):
        yield words.wrong(f"port {site.plain_port} serves bots without TLS", "Refuse /0/ there: return 403.")


def _json(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
