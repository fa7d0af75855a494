"""The own API: other programs' words become arguments of the same actions that the pages call, and back."""
