"""kcode without a screen: one-shot runs, the plain conversation and the small commands."""
