"""The append-only history: one writer, one chain for each Organization, and the proof that it is whole (DESIGN §9)."""
