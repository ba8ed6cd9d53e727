"""An Organization as a whole: founded, its terms of signing in, its Accounts, its Owner."""
