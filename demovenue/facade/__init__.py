"""The parts of `demovenue.exchange.Exchange`, sorted by whom they serve."""
