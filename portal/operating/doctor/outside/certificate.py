"""TLS: the certificate and how long it holds, the version, and HTTP/2."""

import ssl
import time
from collections.abc import Iterator
from typing import Final

from portal.operating.doctor.findings import Finding, Words, first_line
from portal.operating.doctor.outside.site import Site

SOON_DAYS: Final = 21
A_DAY: Final = 24 * 3600
words = Words("certificate")


def look(site: Site) -> Iterator[Finding]:
    """As a browser of today looks at it."""
    try:
        with site.connected(site.context(protocols=("h2", "http/1.1"))) as sealed:
            ends, chosen, version = (
                (sealed.getpeercert() or {})["notAfter"],
                sealed.selected_alpn_protocol(),
                sealed.version(),
            )
    except ssl.SSLCertVerificationError as error:
        yield words.wrong(
            f"{site.netloc}: {error.verify_message}",
            "Renew it (certbot renew), whole chain and this name. --authority FILE trusts one of your own.",
        )
        return
    except (ssl.SSLError, OSError) as error:
        yield words.wrong(f"{site.netloc} cannot be reached by TLS: {first_line(error)}", "See nginx and the firewall.")
        return
    left = int((ssl.cert_time_to_seconds(str(ends)) - time.time()) // A_DAY)
    if left < SOON_DAYS:
        yield words.warn(f"it holds for {left} more days", "Renew it: systemctl list-timers shows who should have.")
    else:
        yield words.ok(f"{site.netloc}: trusted, holds for {left} more days, {version}")
    if chosen == "h2":
        yield words.ok("HTTP/2 is offered")
    else:
        yield words.warn("HTTP/2 is not offered: pages load slower", "nginx: listen 443 ssl http2;")
