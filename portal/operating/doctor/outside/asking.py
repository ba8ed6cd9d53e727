"""What is asked from outside, by subject."""

from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException
from typing import Final

from portal.operating.doctor.findings import Finding, Words, first_line
from portal.operating.doctor.outside import answers, certificate, headers
from portal.operating.doctor.outside.site import Site

LOOKS: Final[dict[str, Callable[[Site], Iterable[Finding]]]] = {
    "certificate": certificate.look,
    "ready": answers.look_at_readiness,
    "pages": answers.look_at_pages,
    "bots": answers.look_at_bots,
    "sockets": answers.look_at_sockets,
    "proxy": headers.look,
    "plain http": answers.look_at_plain,
}


def look(subject: str, site: Site) -> Iterator[Finding]:
    """The same look; where nothing answers, it says so."""
    try:
        yield from LOOKS[subject](site)
    except (OSError, HTTPException) as error:
        said = f"{site.netloc} cannot be asked: {first_line(error)}"
        yield Words(subject).wrong(said, "See nginx, the firewall, and the name in DNS.")
