"""The columns that tables of both apps share; money stands lower in the house."""

from accounts.models.fields import Quantity

__all__ = ["Quantity"]
