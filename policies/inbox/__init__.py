"""The lists of requests, narrowed and decided: waiting for me, asked by me, all I may view, done (DESIGN R9)."""
