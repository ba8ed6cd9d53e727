"""What the portal is measured against: the same answer given otherwise, on the same server and the same database.

None of these imports anything of the portal. They read its table of balances, and have a table of keys of their own.
"""
