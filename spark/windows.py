"""How much of the end of a history is held out for validation and for the test."""

HELD_OUT_DAYS = 28
_FULL_HISTORY_DAYS = 120


def held_out_days(days: int) -> int:
    """Length of the test window, and of the validation window before it, for a history of `days` days.

    28, or in proportion less when there are fewer than 120 days; never more than a third of the history.
    """
    if days >= _FULL_HISTORY_DAYS:
        return HELD_OUT_DAYS
    return max(1, min(days // 3, round(days * HELD_OUT_DAYS / _FULL_HISTORY_DAYS)))
