"""Who could carry a request out by which changes before it (DESIGN P6): pure, for `effective_quorum`.

The rooms, each importing only from those before it: `targets` (what is wanted, and how far a group has come), `corners`
(the least that rules ask at an amount), `asks` (what one request takes, and of whom), `ground` (one Organization),
`moves`, `newcomers` and `roads` (what a given group can bring about), `covers` (the fewest who are enough), `within`
(what so many people could ever do), `kinds` (who can stand in for whom) and `search` (the smallest group, where groups
of Members or amounts make trying all too slow).
"""
