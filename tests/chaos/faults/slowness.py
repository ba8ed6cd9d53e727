"""What answers late or not at all, and clocks that are wrong."""

from dataclasses import dataclass, field
from typing import ClassVar

from tests.chaos.faults.fault import Fault
from tests.chaos.installation import clocks
from tests.chaos.installation.sink import KEPT


@dataclass
class MailHangs(Fault):
    """The mail server takes connections and says nothing."""

    name = "hanging mail"
    seconds = 25.0
    before: int = field(default=0, init=False)

    def begin(self) -> None:
        self.there.machines["mail"].run("systemctl", "kill", "--signal=STOP", "sink")

    def end(self) -> None:
        self.before = self._kept()
        self.there.machines["mail"].run("systemctl", "kill", "--signal=CONT", "sink")

    def is_mended(self) -> bool:
        """Whether mail arrives again."""
        return self._kept() > self.before

    def _kept(self) -> int:
        return int(self.there.machines["mail"].shell(f"stat --format=%s {KEPT} 2>/dev/null || echo 0"))


@dataclass
class RedisPaused(Fault):
    """Redis takes commands and answers none."""

    name = "slow Redis: paused"
    seconds = 8.0

    def begin(self) -> None:
        self.there.machines["redis"].run("redis-cli", "client", "pause", str(int(1000 * self.seconds)), "all")


@dataclass
class RedisSleeps(Fault):
    """Redis does nothing for a while, again and again."""

    name = "slow Redis: asleep"
    seconds = 8.0

    def begin(self) -> None:
        naps = "for nap in 1 2 3 4 5; do redis-cli debug sleep 1 & wait; sleep 0.5; done >/dev/null 2>&1 &"
        self.there.machines["redis"].shell(naps)


@dataclass
class ClockStep(Fault):
    """The clock of one node is wrong for a while, and then right again."""

    step: ClassVar[int]
    seconds = 15.0

    def begin(self) -> None:
        self.what = f"{self.there.unsteady.name} {self.step:+} s"
        clocks.turn(self.there.unsteady.machine, self.step)

    def end(self) -> None:
        clocks.turn(self.there.unsteady.machine, clocks.RIGHT)


class ClockAhead(ClockStep):
    name = "clock: two hours ahead"
    step = 7200


class ClockBehind(ClockStep):
    name = "clock: one hour behind"
    step = -3600


ALL = (MailHangs, RedisPaused, RedisSleeps, ClockAhead, ClockBehind)
