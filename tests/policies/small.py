"""Small Organizations for the rules alone: up to four people, two Accounts, two bots, as hypothesis makes them."""

from hypothesis import strategies as st

from policies.rules import PASSKEY, WITHDRAW, Bot, Facts, Held, Key, Person, Terms
from policies.workflows import Right, Workflow

ACCESS, POLICIES, ADDRESSES, WITHDRAWAL = Workflow
NAMES = ("Ana", "Ben", "Cleo", "Dan")
ACCOUNTS = {1: "Main", 2: "Cold"}
FACTORS = st.sampled_from([frozenset(), frozenset({"totp"}), frozenset({"totp", PASSKEY})])

# Of six people three are active; the others are removed, suspended until the clock ends it, or kept out.
STANDINGS = st.sampled_from(
    [
        *3 * ({"is_active": True},),
        {"is_active": False},
        {"is_active": False, "comes_back": True},
        {"is_active": False, "is_kept_out": True},
    ]
)


def holdings(accounts=(None,), most=6):
    """Rights as Grants hold them."""

    def held(workflow: Workflow, right: Right, account_id: int | None) -> Held:
        return Held(workflow, right, account_id if workflow.by_account else None)

    one = st.builds(
        held,
        st.sampled_from(Workflow),
        st.sampled_from([Right.INITIATE, Right.APPROVE, Right.APPROVE, Right.EXECUTE]),
        st.sampled_from(accounts),
    )
    return st.frozensets(one, max_size=most)


@st.composite
def profiles(draw):
    """Rights as people have them: in each workflow none, one or two of them, for all Accounts."""
    initiates, approves, executes = Right.INITIATE, Right.APPROVE, Right.EXECUTE
    some = st.sampled_from([(), (initiates,), (approves,), (approves,), (executes,), (executes, approves)])
    return frozenset(Held(workflow, right) for workflow in Workflow for right in draw(some))


@st.composite
def people(draw, *, accounts=(None,), factors=FACTORS, most=4, rights=None):
    count = draw(st.integers(1, most))
    return tuple(
        Person(
            number,
            number,
            NAMES[number - 1],
            **draw(STANDINGS),
            is_verified=draw(st.sampled_from([True, True, True, False])),
            is_resting=draw(st.sampled_from([False, False, True])),
            awaits_power=draw(st.sampled_from([False, False, True])),
            factors=draw(factors),
            grants=draw(holdings(accounts) if rights is None else rights),
        )
        for number in range(1, count + 1)
    )


def policies(most=3):
    each = [
        st.none()
        | st.builds(Terms, st.just(workflow.value), st.integers(1, most), st.booleans(), st.just(72), st.booleans())
        for workflow in Workflow
    ]
    return st.tuples(*each).map(lambda found: tuple(terms for terms in found if terms is not None))


@st.composite
def bots(draw, *, most=2, keys=2):
    custodians = st.frozensets(st.integers(1, 4), max_size=2)
    return tuple(
        Bot(
            number,
            f"bot-{number}",
            draw(st.sampled_from([1, 1, 2])),
            is_active=draw(st.sampled_from([True, True, False])),
            permissions=draw(st.sampled_from([frozenset({WITHDRAW}), frozenset({WITHDRAW}), frozenset()])),
            keys=tuple(
                Key(10 * number + place, draw(custodians), draw(st.sampled_from([True, True, False])))
                for place in range(draw(st.integers(1, keys)))
            ),
        )
        for number in range(1, draw(st.integers(0, most)) + 1)
    )


def organizations(**fields):
    return st.builds(
        Facts,
        level=st.sampled_from(["any", "any", PASSKEY]),
        accounts=st.just(ACCOUNTS),
        people=fields.get("people", people(accounts=(None, 1, 2))),
        bots=fields.get("bots", bots()),
        policies=fields.get("policies", policies()),
    )
