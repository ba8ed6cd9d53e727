"""The pure rule about nonces: each accepted once, whatever the order they come in."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.api_keys.nonces import KEPT, Nonces, accept

NONCES = st.lists(st.integers(0, 400), max_size=120)


def run(state: Nonces, nonces: list[int]) -> tuple[Nonces, list[int]]:
    taken = []
    for nonce in nonces:
        after = accept(state, nonce)
        if after is not None:
            state = after
            taken.append(nonce)
    return state, taken


@given(NONCES, st.integers(0, 500))
def test_no_nonce_is_accepted_twice(nonces, window):
    _, taken = run(Nonces(high=0, window=window), nonces)
    assert len(taken) == len(set(taken))


@given(NONCES)
def test_without_a_window_only_a_higher_one_passes(nonces):
    _, taken = run(Nonces(high=0), nonces)
    assert taken == sorted(taken)


@given(NONCES, st.integers(1, 500))
def test_a_higher_one_always_passes(nonces, window):
    state, _ = run(Nonces(high=0, window=window), nonces)
    assert accept(state, state.high + 1) is not None


@given(NONCES, st.integers(1, 500))
def test_no_more_than_64_are_kept(nonces, window):
    state, _ = run(Nonces(high=0, window=window), nonces)
    assert len(state.recent) <= KEPT


def test_inside_the_window_a_late_one_passes_once():
    state, taken = run(Nonces(high=0, window=10), [100, 95, 95, 91, 90])
    assert taken == [100, 95, 91], "the edge itself, 100 - 10, is outside"
    assert state.high == 100


def test_what_is_forgotten_counts_as_seen():
    state, taken = run(Nonces(high=0, window=1000), list(range(1000, 1000 + 2 * KEPT, 2)))
    assert len(taken) == KEPT
    state, taken = run(state, [2000, 1000, 1001, 999])
    assert 1000 not in taken, "it was pushed out of memory, so it can no longer be told from a used one"
    assert 999 not in taken, "nor can any below it"
    assert 1001 in taken
    assert state.floor == 1002, "each one taken pushed out the oldest"


def test_a_closed_floor_stays_closed():
    assert accept(Nonces(high=100, window=50, floor=100), 99) is None
    assert accept(Nonces(high=100, window=50, floor=100), 101) is not None
