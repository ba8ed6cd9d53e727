"""A rule of a policy, and what rules ask, as people say it: one plain sentence (DESIGN R7, P7)."""

from policies.rule_words.amounts import AmountLine, amount_lines
from policies.rule_words.asked import demand_words
from policies.rule_words.names import Names, names_of
from policies.rule_words.sentences import condition_words, is_shortened, sentence

__all__ = [
    "AmountLine",
    "Names",
    "amount_lines",
    "condition_words",
    "demand_words",
    "is_shortened",
    "names_of",
    "sentence",
]
