"""Letting a factor count in a place of its owner, and letting it count there no longer (DESIGN M4).

Runs in the caller's transaction, which holds the histories of the places and writes into them.
"""

from collections.abc import Iterable

from accounts.factors.enrolled import KINDS, Shown
from accounts.models import Member, User


def let_count(shown: Shown, places: Iterable[Member]) -> None:
    """From now on it counts in these places too."""
    shown.places.add(*places)


def end(shown: Shown, places: Iterable[Member]) -> bool:
    """It counts in these places no longer; what then counts nowhere is gone. Says whether it is."""
    shown.places.remove(*places)
    if shown.places.filter(removed_at=None).exists():
        return False
    shown.delete()
    return True


def end_all_of(member: Member) -> None:
    """Nothing that the person held counts here any longer; elsewhere it counts as before."""
    for model in KINDS.values():
        for shown in model.objects.filter(places=member):
            end(shown, [member])


def end_all(user: User, places: Iterable[Member]) -> None:
    """No factor of the person counts in these places any longer; what then counts nowhere is gone."""
    where = list(places)
    for model in KINDS.values():
        for shown in model.objects.filter(user=user):
            end(shown, where)


def count_all(member: Member) -> None:
    """All that the person holds counts here too."""
    for model in KINDS.values():
        for shown in model.objects.filter(user=member.user_id):
            let_count(shown, [member])


def count_as_in(member: Member, others: Iterable[Member]) -> None:
    """In a place that begins exactly that counts which counts in one of the `others`."""
    sources = [other.pk for other in others]
    for model in KINDS.values():
        known = list(model.objects.filter(places__in=sources).distinct())
        for shown in model.objects.filter(places=member).exclude(pk__in=[one.pk for one in known]):
            shown.places.remove(member)
        for shown in known:
            shown.places.add(member)
