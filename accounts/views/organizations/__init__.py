"""An Organization as a whole, and its Accounts."""
