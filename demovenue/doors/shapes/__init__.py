"""The exchange's values in Kraken's words: which field is called what, where. Nothing is decided here."""
