"""Money on its way in, through simulated networks whose stages follow stored times by the clock."""
