"""The cells into which the thresholds and lists of rules cut all possible requests, and what follows from them (P7).

What is asked grows with the amount, with each sum and with the youth of an address. So whether one set of rules asks
for what another does is decided at the least case of each rule, in each pattern of lists. The rooms: `points` (the
amounts), `patterns` (the lists), `audience` (whom a rule binds), `comparison`, `idle`, `leaks`.
"""
