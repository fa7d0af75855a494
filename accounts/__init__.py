"""People, desks, roles, API keys (the vault), balances, the audit trail; later withdrawals and policy."""
