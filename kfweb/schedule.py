"""What beat rings, and how often (in seconds). Each bell starts a sweep over rows that may need work."""

from __future__ import annotations

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "pulse": {"task": "kfweb.pulse", "schedule": 5.0},
    "settle uncertain orders": {"task": "trading.sweep_uncertain", "schedule": 2.0, "options": {"expires": 4}},
    "attend to attached orders": {"task": "trading.sweep_attached", "schedule": 3.0, "options": {"expires": 4}},
    "renew dead man's switches": {"task": "trading.sweep_dead_men", "schedule": 5.0, "options": {"expires": 5}},
    "read wallets, positions, orders": {"task": "trading.sync_states", "schedule": 15.0, "options": {"expires": 15}},
    "read fills": {"task": "trading.sync_all_fills", "schedule": 30.0, "options": {"expires": 30}},
    "read preferences": {"task": "trading.sync_all_preferences", "schedule": 60.0, "options": {"expires": 60}},
    "read histories": {"task": "trading.sync_histories", "schedule": 30.0, "options": {"expires": 30}},
    "compare log files": {"task": "trading.sweep_log_files", "schedule": 60.0, "options": {"expires": 60}},
    "note how accounts stand": {"task": "kfweb.note_equity", "schedule": 60.0, "options": {"expires": 60}},
    "keep index prices": {"task": "trading.keep_index_prices", "schedule": 120.0, "options": {"expires": 120}},
    "let go of old detail": {"task": "trading.retain", "schedule": 3600.0, "options": {"expires": 600}},
    "make exports": {"task": "trading.sweep_exports", "schedule": 15.0, "options": {"expires": 15}},
    "list the instruments": {"task": "trading.refresh_listings", "schedule": 15.0, "options": {"expires": 15}},
    "ask again about failing keys": {"task": "trading.recheck_keys", "schedule": 60.0, "options": {"expires": 60}},
    "weigh alert rules": {"task": "kfweb.sweep_alerts", "schedule": 3.0, "options": {"expires": 3}},
    "attend to withdrawals": {"task": "accounts.sweep_withdrawals", "schedule": 3.0, "options": {"expires": 5}},
    "deliver notices": {"task": "accounts.deliver_notices", "schedule": 2.0, "options": {"expires": 4}},
    "export the book's heads": {
        "task": "accounts.export_audit_heads",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
}
