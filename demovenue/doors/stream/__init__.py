"""The socket at /ws/v1: connections, what they subscribed to, and what they are told."""
