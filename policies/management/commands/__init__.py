"""What the operator does about requests by hand."""
