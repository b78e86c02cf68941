"""Printed papers: a certificate as an accessible PDF, in Dutch and English, the same bytes wherever it is printed."""
