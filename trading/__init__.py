"""Instruments, live market data, orders, positions, fills, history."""
