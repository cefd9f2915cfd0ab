"""Sales forecaster: one global gradient-boosted model per granularity, with a calibrated 80 % interval."""
