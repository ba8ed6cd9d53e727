"""What the demo consists of: names, people, bots, money and policies. Scripts rely on them (DESIGN §10)."""

from decimal import Decimal
from typing import Final

from accounts.models.service_user import Permission
from policies.operations import ConfigurePolicy
from policies.rules.language import GroupApprovals, Rule
from policies.workflows import Right, Workflow

DEMO, ELSEWHERE = "Demo Treasury", "Elsewhere"
OWNER, EVE = ("owner@demo.test", "Olive Marsh"), ("eve@elsewhere.test", "Eve Aldous")
PEOPLE: Final = (
    ("ana@demo.test", "Ana Ruiz", Right.INITIATE),
    ("ben@demo.test", "Ben Adeyemi", Right.APPROVE),
    ("cleo@demo.test", "Cleo Novak", Right.APPROVE),
    ("fay@demo.test", "Fay Lindholm", Right.APPROVE),
    ("audit@demo.test", "Otto Berg", Right.VIEW),
)
EVERYTHING: Final = tuple(permission.value for permission in Permission)
BOTS: Final = (
    ("trading-bot", tuple(permission for permission in EVERYTHING if permission != Permission.WITHDRAW), False),
    ("treasury-bot", EVERYTHING, True),
    (
        "readonly-bot",
        (
            Permission.QUERY_FUNDS.value,
            Permission.QUERY_OPEN.value,
            Permission.QUERY_CLOSED.value,
            Permission.QUERY_LEDGER.value,
        ),
        False,
    ),
)
EVES_BOT: Final = "eve-bot"
GATEWAY_BOT: Final = "gateway-bot"
MONEY: Final = (
    ("BTC", "12.5"),
    ("ETH", "210"),
    ("USD", "480000"),
    ("EUR", "96000.5"),
    ("USDC", "25000"),
    ("SOL", "1500"),
)
ADDRESSES: Final = (
    ("btc-cold", "BTC", "Bitcoin", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("eth-cold", "ETH", "Ether (Hex)", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("usd-bank", "USD", "Bank transfer", "BUKBGB22/GB33BUKB20201555555555/Demo Treasury Ltd"),
)
POLICIES: Final = (ConfigurePolicy(workflow=Workflow.MANAGE_ADDRESSES, approvals=1, always=False, open_hours=72),)
BOARD: Final = ("Board", ("Cleo Novak", "Fay Lindholm"))
FROM_ONE, FROM_TWO = Decimal(100_000), Decimal(500_000)


def withdrawals(board: int) -> ConfigurePolicy:
    """Two approvals of whatever leaves, and from two amounts on, alone or within a day, of the board as well."""
    rules = (
        Rule(approvals=2),
        Rule(groups=(GroupApprovals(board, 1),), amount=FROM_ONE, with_day_sum=True),
        Rule(groups=(GroupApprovals(board, 2),), amount=FROM_TWO, with_day_sum=True),
    )
    return ConfigurePolicy(Workflow.INITIATE_WITHDRAWAL, approvals=2, always=True, open_hours=72, rules=rules)
