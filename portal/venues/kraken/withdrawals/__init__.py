"""Withdrawals under intent and fence: held, sent at most once, looked for when an answer is lost."""
