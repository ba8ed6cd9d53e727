"""All that the doctor looks at, in the order in which it is said."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.conf import settings
from django.core import checks

from portal.loading import loading
from portal.operating.doctor import (
    clock,
    counters,
    database_hosts,
    database_session,
    duties,
    environment,
    files,
    mail_server,
    schema,
    sealing_keys,
    versions,
)
from portal.operating.doctor.findings import Finding, Look, Words
from portal.operating.doctor.outside import asking
from portal.operating.doctor.outside.site import Site

# These have looks of their own here, which say more.
SAID_ELSEWHERE: Final = {"audit.W001", "core.E003", "core.E004", "core.I001"}


def here() -> list[Look]:
    """What can be seen from this machine."""
    return [
        Look("settings", environment.look),
        Look("checks", look_at_checks, seconds=30),
        Look("environment file", files.look_at_environment),
        Look("sealing keys", sealing_keys.look),
        Look("database", database_hosts.look, seconds=30),
        Look("database role", database_hosts.look_at_role),
        Look("database session", database_session.look),
        Look("durability", database_session.look_at_safety),
        Look("connections", database_session.look_at_connections),
        Look("migrations", schema.look),
        Look("clock", clock.look),
        Look("redis", counters.look),
        Look("mail server", mail_server.look, seconds=30),
        Look("mail queue", duties.look_at_mail),
        Look("periodic tasks", duties.look),
        Look("backup", duties.look_at_backups),
        Look("folder", files.look_at_folder),
        Look("static files", files.look_at_static),
        Look("disk", files.look_at_room),
        Look("open files", files.look_at_limits),
        Look("versions", versions.look),
    ]


def a_mail(address: str) -> Look:
    """One mail to that address."""
    return Look("mail server", partial(mail_server.send, address), seconds=60)


def outside(site: Site) -> list[Look]:
    """What a caller of that site meets."""
    return [Look(subject, partial(asking.look, subject, site), seconds=30) for subject in asking.LOOKS]


def look_at_checks() -> Iterator[Finding]:
    """What Django and the portal say of the settings of an installation in public."""
    words = Words("checks")
    # They load all pages there are.
    with loading():
        # While it is tried out, what is asked of a portal in public is not said.
        said = checks.run_checks(include_deployment_checks=not settings.DEBUG)
    own = [one for one in said if not one.is_silenced() and one.id not in SAID_ELSEWHERE]
    for one in own:
        do = one.hint or "manage.py check --deploy says more."
        yield words.wrong(one.msg, do) if one.is_serious() else words.warn(f"{one.id}: {one.msg}", do)
    if not own:
        yield words.ok("manage.py check finds nothing")
