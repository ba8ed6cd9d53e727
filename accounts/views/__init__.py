"""The pages about who: what each finds, which form it shows, and the one operation that it calls."""
