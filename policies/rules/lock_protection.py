"""What a lock protects: every kind of change, whether it is protected while any policy is locked, and why (DESIGN P4).

Each governed operation names its row as its `protection`; forms say the case from here, and the design shows the table.
"""

from dataclasses import dataclass
from typing import Final

ALWAYS: Final = "always"
NEVER: Final = "never"
HOLDER: Final = "where they hold such a right, or one is on its way to them"
TAKES: Final = "It only takes power away."


@dataclass(frozen=True, slots=True)
class Protection:
    """One kind of change. `case` is when it is protected, in words: `ALWAYS`, `NEVER`, or what has to be so."""

    change: str
    case: str
    why: str


CONFIGURE: Final = Protection("Configure a policy", "where it is locked", "The lock is what holds it.")
UNLOCK: Final = Protection("Unlock a policy", "where it is locked", "The lock is what holds it.")
REMOVE: Final = Protection(
    "Remove a policy",
    "where it is locked, or where keys would withdraw at once without it",
    "The lock is what holds it; without the policy of withdrawals, keys send alone.",
)
LOCK: Final = Protection("Lock a policy", NEVER, "It makes more people agree; P3 says how many it takes.")
REHEARSE: Final = Protection("Rehearse a workflow", NEVER, "It changes nothing.")
INVITE: Final = Protection(
    "Invite a member", "with rights beyond View", "One person must not bring in an accomplice who approves."
)
RIGHTS: Final = Protection(
    "Change rights", "where it gives Initiate, Approve or Execute", "Whoever gets these can approve or act."
)
LIFT_MEMBER: Final = Protection("Lift the suspension of a Member", HOLDER, "It gives that power back.")
TRANSFER: Final = Protection("Transfer the ownership", ALWAYS, "The Owner holds every right.")
RESET: Final = Protection(
    "Reset second factors", HOLDER, "Whoever reads their mail then enrols anew and approves in their name."
)
VERIFY: Final = Protection("Verify an identity", HOLDER, "Their rights count from then on.")
SIGN_IN: Final = Protection(
    "Change how people sign in", "for a lower 2FA level", "What proves who approves gets weaker."
)
ACCOUNT: Final = Protection("Add an Account", ALWAYS, "Whoever holds a right for all Accounts holds it there too.")
CONNECT: Final = Protection(
    "Connect an Account to an exchange", ALWAYS, "Whoever holds a right for all Accounts holds it for real money there."
)
CREDENTIAL: Final = Protection(
    "Add or replace a credential of an exchange", ALWAYS, "What the portal sends leaves under it."
)
DISCONNECT: Final = Protection(
    "Remove a credential of an exchange, or disconnect from it",
    ALWAYS,
    "What is on its way could not be followed any more.",
)
MAKE_KEY: Final = Protection("Make a Service User", "with Withdraw", "Its key can send money.")
WIDEN_KEY: Final = Protection(
    "Change a Service User", "where a key that may withdraw gets more power", "Its key can send money."
)
ROTATE_KEY: Final = Protection(
    "Rotate a key", "where it may withdraw", "Whoever reveals the new secret can send money."
)
LIFT_BOT: Final = Protection(
    "Lift the suspension of a Service User", "where it may withdraw", "Its key can send money again."
)
LIFT_STOPS: Final = Protection(
    "Lift all that somebody stopped",
    "where such a Member, or a bot or key that may withdraw, is among it",
    "It gives that power back.",
)
ADD_ADDRESS: Final = Protection(
    "Add an address",
    "where a locked rule names destinations or their age, or the name once led elsewhere",
    "Such a rule is only as good as the book; bots send to names (P2).",
)
NAME_AGAIN: Final = Protection("Rename an address", "where the name once led elsewhere", "Bots send to names (P2).")
MAKE_GROUP: Final = Protection("Create or remove a group", NEVER, "No rule names a new one, and none that is removed.")
CHANGE_GROUP: Final = Protection(
    "Change a group", "where a locked rule names it", "Whoever is in it gives what that rule asks of it."
)
LIFT_FREEZE: Final = Protection(
    "Lift a freeze", ALWAYS, "It gives back everybody's power to ask, approve and carry out there."
)
FREEZE_LONGER: Final = Protection("Freeze for longer", NEVER, TAKES)
TAKE_RIGHTS: Final = Protection("Remove a Member, or keep one out", NEVER, TAKES)
TAKE_INVITATION: Final = Protection("Take an invitation back", NEVER, TAKES)
TAKE_KEY: Final = Protection("Remove a Service User, or revoke a key", NEVER, TAKES)

TABLE: Final = (
    CONFIGURE,
    UNLOCK,
    REMOVE,
    LOCK,
    REHEARSE,
    INVITE,
    RIGHTS,
    LIFT_MEMBER,
    TRANSFER,
    RESET,
    VERIFY,
    SIGN_IN,
    ACCOUNT,
    CONNECT,
    CREDENTIAL,
    DISCONNECT,
    MAKE_KEY,
    WIDEN_KEY,
    ROTATE_KEY,
    LIFT_BOT,
    LIFT_STOPS,
    ADD_ADDRESS,
    NAME_AGAIN,
    MAKE_GROUP,
    CHANGE_GROUP,
    LIFT_FREEZE,
    FREEZE_LONGER,
    TAKE_RIGHTS,
    TAKE_INVITATION,
    TAKE_KEY,
)
