"""Which requests could nobody finish, and does a change make it worse (DESIGN P5).

Every workflow, Account and possible initiator is counted against the most that P2 to P4 can ask of them, in each cell
of the rules that is not denied, and group by group. Rest after a reset ends by itself within a day, so it is no
shortage; the acceptance of O3 is asked when a transfer is opened. The rooms: `asking` (who may ask, what could be asked
of them, and who could approve), `shortage` (what is short, in words), `counting`, `refusal`.
"""

from policies.rules.dead_ends.asking import (
    PROTECTED,
    Asker,
    askers,
    barred,
    initiators,
    most_needed,
    needed,
    pool,
    pools,
)
from policies.rules.dead_ends.counting import grown, shortages, standstill, worse
from policies.rules.dead_ends.refusal import refuse_grown
from policies.rules.dead_ends.shortage import Shortage

__all__ = [
    "PROTECTED",
    "Asker",
    "Shortage",
    "askers",
    "barred",
    "grown",
    "initiators",
    "most_needed",
    "needed",
    "pool",
    "pools",
    "refuse_grown",
    "shortages",
    "standstill",
    "worse",
]
