"""Requests that were once asked, held against other rules: what would have come of them (DESIGN P7).

The rooms, each importing only from those before it: `sliding_sums` and `moments` (what each sum was, then), `cells`
(which requests no rule can tell apart), `answers` (what is asked of one, by today's people), `comparison` (what differs
between two policies), all of them pure; `kept` (the same as a row holds it), `runs` (a replay from start to end).
"""
