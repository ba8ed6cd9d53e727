"""The portal beside its peers in one run, in turns; and the portal alone, over one connection and over many."""
