"""The venue's own pages: sign up, keys, balances, market, misfortunes. Plain HTML, one style sheet, no script."""
