"""The transparency log, signed envelopes, and the offline verifier."""
