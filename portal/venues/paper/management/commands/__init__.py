"""Paper money put in, and the paper ledger added up, by hand."""
