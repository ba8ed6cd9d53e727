"""Where each row stands in the lists of its Account: counting and skipping cost the same however long these are."""
