"""How good the probabilities are: discrimination, calibration, thresholds, from sums or one sorted score."""
