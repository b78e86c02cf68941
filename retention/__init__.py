"""Knows the law's terms, says what is due, carries it out, drafts the certificate."""
