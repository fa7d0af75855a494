"""`announce` moved to `trading.publish`, below the actions."""

from trading.publish import announce

__all__ = ["announce"]
