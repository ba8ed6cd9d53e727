"""What carries out orders and transfers, behind one Protocol; nothing above knows which it is (DESIGN §8)."""
