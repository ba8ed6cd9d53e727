"""The governed side of money: where it may go, who agreed, and what is asked of the venue then."""
