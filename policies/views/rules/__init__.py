"""The rules of a policy on pages: those in force, a draft of them, one rule at a time, and the review before asking."""
