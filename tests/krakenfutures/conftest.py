from __future__ import annotations

from hypothesis import settings

# A busy machine is not a wrong sum.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
