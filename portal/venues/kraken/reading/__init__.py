"""What the exchange says, typed for pages, and kept for when it says nothing."""
