"""Figures as sentences and tables have them."""


def percent(share: float, digits: int = 1) -> str:
    """A share, in [0, 1], in percent."""
    return f"{100 * share:.{digits}f} %"


def p_value(value: float) -> str:
    """A p-value with the digits that matter."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def points(share: float) -> str:
    """A difference of shares, or a spread, in percentage points."""
    return f"{100 * share:.1f} points"
