"""Has all looks taken at once, each within its time: one that hangs or breaks holds up no other."""

from collections.abc import Iterable, Sequence
from threading import Thread
from time import monotonic

from django.db import DatabaseError, connections

from portal.operating.doctor.findings import Finding, Look, Words, first_line, without_secrets


class _Taken(Thread):
    """One look, in a thread that is left behind if it does not come back."""

    def __init__(self, look: Look) -> None:
        super().__init__(daemon=True, name=f"doctor-{look.subject}")
        self.look = look
        self.found: list[Finding] = []
        self.is_done = False

    def run(self) -> None:
        """Keep what is found as it comes: what was seen before it broke still counts."""
        words = Words(self.look.subject)
        try:
            self.found.extend(self.look.run())
        except DatabaseError as error:
            self.found.append(words.warn(f"not looked at: {first_line(error)}", "Put the database right first."))
        except Exception as error:  # noqa: BLE001 - whatever a machine that is ill can do wrong
            said = f"not looked at: {type(error).__name__}: {first_line(error)}"
            self.found.append(words.warn(said, "Look at it by hand: docs/operating.md."))
        finally:
            connections.close_all()
            self.is_done = True


def taken(looks: Sequence[Look]) -> list[Finding]:
    """What all of them found, in their order."""
    began = monotonic()
    threads = [_Taken(look) for look in looks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, began + thread.look.seconds - monotonic()))
    return [without_secrets(finding) for thread in threads for finding in _said(thread)]


def _said(thread: _Taken) -> Iterable[Finding]:
    yield from list(thread.found)
    if not thread.is_done:
        words = Words(thread.look.subject)
        yield words.wrong(
            f"no answer within {thread.look.seconds:.0f} s",
            "See whether the machine is overloaded, or a network hangs.",
        )
