"""What is told of withdrawals, for tests: as many as a test says, and something on the way; and what was counted."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from policies.measures import Past
from policies.models import Replay
from policies.replay import kept
from policies.rules.language import Situation, initiator_id


def counted(replay: Replay) -> kept.Counts:
    """What a replay that is done has counted."""
    assert replay.result is not None
    return kept.read(replay.result)


class Told:
    """Stands for `policies.measures.Measures`. `since` is what was asked for last, `given` how many were read."""

    def __init__(self):
        self.rows, self.since, self.given, self.happens = [], None, 0, {}

    def asked(self, actor, account, *, count, value=10, first=1):
        """So many were asked yesterday, one a minute, and executed at once."""
        for number in range(first, first + count):
            at = timezone.now() - timedelta(days=1) + timedelta(minutes=number)
            situation = Situation(
                value=Decimal(value),
                asset="ZUSD",
                account=str(account.pk),
                destination="bank",
                age_hours=500.0,
                initiator=initiator_id(actor.kind, actor.pk),
            )
            self.rows.append(Past(number, at, situation, sent_at=at))

    def while_reading(self, number, act):
        """Have something happen while the so manieth is read."""
        self.happens[number] = act

    def past(self, organization, since):
        self.since, self.given = since, 0
        for number, row in enumerate(self.rows, start=1):
            self.given = number
            self.happens.get(number, lambda: None)()
            yield row
