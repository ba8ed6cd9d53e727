"""The sealing keys: drawn at random, those of this database, and none missing that something is still sealed under."""

from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from portal.core.models import SealingCanary
from portal.core.secrets import canary, key_checks, sealed_fields, sealing
from portal.operating.doctor.findings import Finding, Words

words = Words("sealing keys")


def look() -> Iterator[Finding]:
    """Nothing is written: a key that this database has not seen yet leaves no sample here."""
    try:
        weak = key_checks.wrong_keys()
    except ImproperlyConfigured as error:
        yield words.wrong(str(error), "docs/operating.md says how to draw one.")
        return
    yield from (words.wrong(said, "docs/operating.md says how to draw one.") for said in weak)
    wrong = canary.wrong_keys(make=False)
    if wrong:
        yield words.wrong(canary.in_words(wrong), "Until then nothing that was sealed opens: stop this node.")
    missing = [name for name in _seen() if name not in sealing.key_names() and _is_needed(name)]
    if missing:
        yield words.wrong(
            f"secrets are sealed under {', '.join(missing)}, which PORTAL_SEALING_KEYS does not hold",
            "Put that key back behind the first one; then manage.py rotatesealingkeys. If it is lost for good: "
            "docs/runbooks/lose-the-sealing-keys.md.",
        )
    if not weak and not wrong and not missing:
        yield from _in_use()


def _in_use() -> Iterator[Finding]:
    first, *others = sealing.key_names()
    unknown = set(sealing.key_names()) - set(_seen())
    said = f"{first} seals and opens" + (f", {', '.join(others)} opens" if others else "")
    yield words.ok(said + (f"; {', '.join(sorted(unknown))} never sealed anything here yet" if unknown else ""))
    left = sum(place.left() for place in sealed_fields.everything())
    if left:
        yield words.warn(
            f"{left} secrets are still sealed under another key than {first}: keep all keys until they are not",
            "manage.py rotatesealingkeys, while the portal runs.",
        )


def _seen() -> list[str]:
    return list(SealingCanary.objects.order_by("key").values_list("key", flat=True))


def _is_needed(name: str) -> bool:
    return any(column.under(name, 1) for column in sealed_fields.columns())
