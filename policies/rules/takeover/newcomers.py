"""From one change of access that P4 would protect to as many newcomers as it takes."""

from policies.rules.takeover.asks import Ask
from policies.rules.takeover.ground import Ground
from policies.rules.takeover.targets import ACCESS, MONEY, Group, State, Step, Target
from policies.workflows import Right


def ask_for_access(ground: Ground, state: State) -> Ask:
    """What it takes to give somebody every right."""
    return ground.ask(state, Target(ACCESS, protected=ground.is_locked(state)))


def by_newcomers(ground: Ground, group: Group, state: State) -> list[Step] | None:
    """The last steps, if the group can carry through a change of access that P4 would protect."""
    access = ground.carry(group, state, "asks to give a newcomer every right", ask_for_access(ground, state))
    return None if access is None else _multiply(ground, group, state, access)


def _multiply(ground: Ground, group: Group, state: State, access: Step) -> list[Step] | None:
    last = Step(_what_they_do(ground, state), "Newcomers")
    approving = ground.holding(Target(ACCESS), Right.APPROVE) & state.able
    reviewer = next((person for person in group if person.user_id in approving), None)
    if reviewer is not None:
        return [_review(reviewer.name), access, last]
    # Nobody of the group approves, so what they do takes no approval: whoever has power they can take or give.
    others = [one for one in ground.people if one.is_verified and one not in group]
    others.sort(key=lambda one: (not one.holds(ACCESS, Right.APPROVE), one.is_kept_out))
    steps = []
    if others:
        taken = others[0]
        steps += [Step(f"lifts the suspension of {taken.name}", access.by)] if taken.is_kept_out else []
        what = f"resets the factors of {taken.name}, takes the mail with the link, and enrols in their place"
        steps.append(Step(what, access.by))
    elif len(state.able) > 1:
        taken = next(one for one in group if one.user_id in state.able - {access.asker})
    else:
        return None
    if not taken.holds(ACCESS, Right.APPROVE):
        steps.append(Step(f"gives {taken.name} Approve on {ACCESS.title}", access.by))
    return [*steps, _review(taken.name), access, last]


def _what_they_do(ground: Ground, state: State) -> str:
    """What newcomers do with every right: they enter groups where approvals of some are asked, and undo what denies."""
    asks = [need for needs in ground.ask(state, ground.target).needs.values() for need in needs]
    first = "enter every group that has to agree, " if ground.groups else ""
    if asks and all(need.is_denied for need in asks):
        return f"{first}weaken the policy of {MONEY.title}, ask for it and approve it, as many as it takes"
    return f"{first}ask for it and approve it, as many as it takes"


def _review(name: str) -> Step:
    return Step("verifies a newcomer, invited without any right", name)
