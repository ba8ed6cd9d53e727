"""One run from its cast to its result: calm, faults one after the other, a quiet end, and every check."""

import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.checking import proof
from tests.chaos.checking.figures import Happened
from tests.chaos.checking.growth import Growth
from tests.chaos.checking.proof import Result
from tests.chaos.faults import every
from tests.chaos.faults.fault import Fault
from tests.chaos.installation.database import DATABASE
from tests.chaos.installation.waiting import until
from tests.chaos.installation.whole import Installation
from tests.chaos.players import cast, record, stage
from tests.chaos.players.record import Outcome
from tests.chaos.players.stage import Stage

# Seconds: before the first fault, before each, and after the last.
WARM: Final = 10.0
CALM: Final = 8.0
LAST_CALM: Final = 15.0
WELL_WITHIN: Final = 180.0
LOOKED_EVERY: Final = 10.0
# For so long nothing has happened to anybody: then every socket has been told of everything.
QUIET: Final = 6.0
ANSWERED_WITHIN: Final = 60.0
QUIET_WITHIN: Final = 240.0
WALKED_WITHIN: Final = 240
BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HEADS: Final = "SELECT coalesce(sum(last), 0) FROM journal_head"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: which faults, drawn from which seed, for so many seconds; and where to keep what was seen."""

    seed: int
    seconds: float
    faults: list[type[Fault]]
    bots: int
    kept: Path | None = None


@dataclass
class Run:
    """Everything of one run, in the order in which it happens."""

    there: Installation
    stage: Stage
    seed: int
    growth: Growth
    happened: list[Happened] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    looked: float = 0.0

    def break_everything(self, seconds: float, faults: list[type[Fault]]) -> None:
        """One fault after the other until the time is over; each begins in calm."""
        chance = random.Random(self.seed)
        self.stage.start()
        self.wait(WARM)
        self._all_bots_answered()
        self._walk()
        self.growth.first = self.growth.look()
        end = time.monotonic() + seconds
        for kind in every.order(faults, chance):
            if time.monotonic() > end or not self._go_through(kind, chance):
                break
        self.wait(LAST_CALM)
        self._all_bots_answered()
        self._walk()

    def settle(self) -> None:
        """Let everybody leave, sockets last: once nothing happens any more."""
        self.stage.end("bots", "people")
        self.growth.last = self.growth.look()
        still = before = ""
        since = time.monotonic()
        end = since + QUIET_WITHIN
        while time.monotonic() < end:
            still = self.there.databases.query(HEADS, database=DATABASE)
            if still != before:
                since, before = time.monotonic(), still
            elif time.monotonic() > since + QUIET:
                break
            time.sleep(1)
        else:
            self.wrong.append("it does not become quiet")
        self.stage.end("sockets")

    def wait(self, seconds: float) -> None:
        """So long, with an eye on who plays and what they hold."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.watch()
            time.sleep(min(left, 0.5))

    def watch(self) -> None:
        """Whether everybody is still there, and now and then what processes hold."""
        self.stage.check()
        if time.monotonic() > self.looked + LOOKED_EVERY:
            self.looked = time.monotonic()
            self.growth.look()

    def say(self, words: str) -> None:
        """How far it is."""
        sys.stderr.write(f"{time.monotonic() - self.began:6.0f} s  {words}\n")

    def _go_through(self, kind: type[Fault], chance: random.Random) -> bool:
        """Whether all was well again after it."""
        for _ in range(kind.rounds):
            calm_from = time.time()
            self.wait(CALM * chance.uniform(1, 1.5))
            fault = kind(self.there, chance)
            began = time.time()
            try:
                fault.begin()
                self.wait(fault.seconds)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                self.wrong.append(f"{fault.name}: it could not be made: {error}")
                return False
            finally:
                fault.end()
            ended = time.time()
            mended = self._mended(fault)
            self.happened.append(Happened(fault.name, fault.what, calm_from, began, ended, mended))
            if mended is None:
                trouble = self.there.trouble() or "its own consequences are not gone"
                self.wrong.append(f"{fault.name} ({fault.what}): not well within {WELL_WITHIN:.0f} s: {trouble}")
                return False
            self.say(f"{fault.name} ({fault.what}): {ended - began:.0f} s, well {mended - ended:.1f} s later")
        return True

    def _mended(self, fault: Fault) -> float | None:
        try:
            until(lambda: fault.is_mended() and self.there.is_well(), WELL_WITHIN, fault.name, self.watch)
        except AssertionError:
            return None
        return time.time()

    def _walk(self) -> None:
        """A person in a browser, where there is one."""
        chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
        if chromium is None:
            self.say("no browser is installed: nobody walks through it")
            return
        owner, there = self.stage.owner, self.there
        environment = there.callers() | {"CHROMIUM": chromium}
        program = [sys.executable, "-m", "tests.chaos.players.walk", owner.seed, owner.email]
        try:
            stage.run_inside(there, program, environment, WALKED_WITHIN)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            self.wrong.append(f"a person in a browser came to nothing: {str(error)[-1500:]}")

    def _all_bots_answered(self) -> None:
        """Each of them, in the calm that is now."""
        since, end = time.time(), time.monotonic() + ANSWERED_WITHIN
        players = {player.account for player in cast.read(self.stage.cast).players}
        while silent := players - self._answered(since):
            if time.monotonic() > end:
                self.wrong.append(f"in calm nobody answered {sorted(silent)}")
                return
            self.wait(1)

    def _answered(self, since: float) -> set[str]:
        done = (each for each in record.read(self.stage.records) if each.outcome == Outcome.DONE)
        return {each.who for each in done if each.began > since}


def soak(there: Installation, plan: Plan) -> Result:
    """The whole of it."""
    with stage.built(there, plan.bots) as players:
        run = Run(there, players, plan.seed, Growth(there.nodes))
        run.say(f"the installation stands, and {plan.bots} bots begin; seed {plan.seed}")
        run.break_everything(plan.seconds, plan.faults)
        run.settle()
        run.say("it is quiet")
        result = proof.checked(there, players, plan, run.happened, run.growth)
        result.wrong[:0] = run.wrong
        if result.wrong and plan.kept:
            proof.keep(there, players, plan.kept / str(plan.seed))
    result.conclude(plan.seed)
    return result
