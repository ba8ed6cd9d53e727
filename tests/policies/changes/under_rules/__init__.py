"""What requests wait for besides a number: groups, a delay, and rules that deny."""
