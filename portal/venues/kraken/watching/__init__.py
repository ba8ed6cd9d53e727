"""What goes around the portal: withdrawals, ledger and credentials compared with what is known here."""
