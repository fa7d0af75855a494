"""A demo Kraken Derivatives exchange: its own process, its own ports, its own storage, its own sums."""
