"""Side-by-side benchmarks: each measures the register against its peer, in the same run on the same machine."""
