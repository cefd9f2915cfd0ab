"""Baselines: models like any other, so that every evaluation shows them.

Each module has `forecast(panel, series, origin, horizon) -> float64 [len(series), horizon]`: units for the
`horizon` periods after column `origin`, from columns up to and including `origin` only.
"""
