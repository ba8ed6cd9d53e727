"""Past withdrawals as hypothesis makes them, and what a simple reading of the rules says of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from policies.measures import Past
from policies.rules import Bot, Facts, Held, Key, Need, Person, Terms, approvals_needed, eligible, is_met
from policies.rules.language import (
    INFINITE,
    Among,
    AtLeast,
    GroupApprovals,
    Rule,
    Scope,
    Situation,
    SumOf,
    Window,
)
from policies.rules.quorum import Asked
from policies.workflows import Right, Workflow

START = datetime(2026, 9, 1, tzinfo=UTC)
WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL
ASSETS, ACCOUNTS, PLACES = ("XXBT", "ZUSD"), ("1", "2"), ("cold", "bank", "")
ASKERS = ("member:1", "member:2", "member:9", "service_user:1", "service_user:9", "")
FINANCE, BOARD = 1, 2
VALUES = st.sampled_from([Decimal("0.25"), Decimal("1.10"), Decimal(5), Decimal("7.77"), Decimal(20), INFINITE])
AMOUNTS = st.sampled_from([Decimal(1), Decimal("1.10"), Decimal(5), Decimal(10), Decimal("25.5")])
# Often the edge of a window exactly, and the same instant twice.
GAPS = st.sampled_from([0, 0, 1, 30, 60, 60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60])


@st.composite
def past(draw, most=12):
    """Withdrawals in order of time: held to this day, executed, at once or later, or released."""
    found, at = [], START
    for number in range(draw(st.integers(0, most))):
        at += timedelta(minutes=draw(GAPS))
        end = at + timedelta(minutes=draw(GAPS))
        became = draw(st.sampled_from(["sent", "sent", "held", "released"]))
        situation = Situation(
            value=draw(VALUES),
            asset=draw(st.sampled_from(ASSETS)),
            account=draw(st.sampled_from(ACCOUNTS)),
            destination=draw(st.sampled_from(PLACES)),
            age_hours=draw(st.sampled_from([0.0, 1.0, 23.5, 24.0, 500.0])),
            initiator=draw(st.sampled_from(ASKERS)),
        )
        sent, released = (end if became == "sent" else None), (end if became == "released" else None)
        found.append(Past(number, at, situation, sent_at=sent, released_at=released))
    return tuple(found)


def seldom(found):
    """Most conditions are not given, so that most rules match something."""
    return st.sampled_from(range(4)).flatmap(lambda place: st.none() if place else found)


def among(values):
    values = [value for value in values if value]
    return st.builds(
        lambda chosen, outside: Among(tuple(sorted(chosen)), outside),
        st.sets(st.sampled_from(values), min_size=1),
        st.booleans(),
    )


SUMS = st.builds(
    SumOf, st.sets(st.sampled_from(Scope)).map(lambda scope: tuple(sorted(scope))), st.sampled_from(Window)
)


@st.composite
def rules(draw):
    """One rule that can be meant."""
    amount = draw(seldom(AMOUNTS))
    denies = draw(st.sampled_from([False, False, False, True]))
    groups = draw(st.sets(st.sampled_from([FINANCE, BOARD])))
    sums = draw(seldom(st.dictionaries(SUMS, AMOUNTS, max_size=2))) or {}
    return Rule(
        approvals=0 if denies else draw(st.integers(0 if groups else 1, 3)),
        groups=() if denies else tuple(GroupApprovals(each, draw(st.integers(1, 2))) for each in sorted(groups)),
        deny=denies,
        delay_hours=0 if denies else draw(st.sampled_from([0, 0, 24, 48])),
        always=draw(st.booleans()),
        amount=amount,
        with_day_sum=amount is not None and draw(st.booleans()),
        sums=tuple(sorted(AtLeast(each, least) for each, least in sums.items())),
        assets=draw(seldom(among(ASSETS))),
        accounts=draw(seldom(among(ACCOUNTS))),
        destinations=draw(seldom(among(PLACES))),
        initiators=draw(seldom(among(ASKERS))),
        younger_hours=draw(seldom(st.sampled_from([1, 24, 600]))),
        asked_by=draw(st.sampled_from(["", "", "", "member", "key"])),
    )


POLICIES = st.none() | st.lists(rules(), max_size=4).map(
    lambda found: Terms(WITHDRAWAL.value, 2, always=True, open_hours=72, rules=tuple(found))
)


@st.composite
def people(draw):
    """Two who may ask, some who may approve, and a bot whose key somebody keeps."""
    asks, executes = Held(WITHDRAWAL, Right.INITIATE), Held(WITHDRAWAL, Right.EXECUTE)
    approves = Held(WITHDRAWAL, Right.APPROVE)
    found = tuple(
        Person(
            number,
            number,
            f"P{number}",
            factors=frozenset({"totp"}),
            grants=frozenset(draw(st.sets(st.sampled_from([asks, executes, approves])))),
            groups=frozenset(draw(st.sets(st.sampled_from([FINANCE, BOARD])))),
        )
        for number in range(1, 6)
    )
    bot = Bot(1, "bot", 1, permissions=frozenset({"withdraw-funds"}), keys=(Key(1, frozenset({3})),))
    return Facts("any", {1: "Main", 2: "Cold"}, found, (bot,), groups={FINANCE: "Finance", BOARD: "Board"})


def is_same(part, other, now):
    """Who wrote a row before it said where to, or by whom, may have meant anybody."""
    unsaid = part in (Scope.DESTINATION, Scope.INITIATOR) and getattr(other, part) == ""
    return unsaid or getattr(other, part) == getattr(now, part)


def total(now, everything, each, *, is_opening):
    """A sum as the reference says it, by looking at all there is: `now` is counted in."""
    at = now.asked_at if is_opening else now.sent_at

    def counts(other):
        if other is now:
            return True
        is_alike = all(is_same(part, other.situation, now.situation) for part in each.scope)
        # Of what is asked at the same instant, the first was asked first; at execution all of it was.
        is_earlier = not is_opening or other.change_id < now.change_id
        was_asked = other.asked_at < at or (other.asked_at == at and is_earlier)
        was_released = other.released_at is not None and other.released_at <= at
        is_over = other.sent_at is not None and other.sent_at < at - each.window.length
        return is_alike and was_asked and not was_released and not is_over

    return sum((other.situation.value for other in everything if counts(other)), Decimal(0))


def asked_of(now, everything, facts, terms, initiator):
    """What a policy asks of a past withdrawal in the end, without any shortcut."""
    account = int(now.situation.account)
    wanted = {each for rule in (terms.rule_set if terms else ()) for each in rule.all_sums()}

    def asked_at(at, *, is_opening) -> tuple[Asked, Need]:
        sums = {each: total(now, everything, each, is_opening=is_opening) for each in wanted}
        age = now.situation.age_hours + (at - now.asked_at).total_seconds() / 3600
        asked = Asked(WITHDRAWAL, initiator, account, situation=replace(now.situation, sums=sums, age_hours=age))
        return asked, approvals_needed(asked, (terms,) if terms else ())

    asked, need = asked_at(now.asked_at, is_opening=True)
    found = need.demand
    if now.sent_at is not None:
        asked, need = asked_at(now.sent_at, is_opening=False)
        found |= need.demand
    in_the_end = replace(need, approvals=found.approvals, groups=found.groups, is_denied=False)
    return found, is_met(in_the_end, eligible(asked, facts), asked)
