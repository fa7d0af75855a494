from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = "Trading"

    def ready(self) -> None:
        from accounts.hooks import after_key_added, after_withdrawal, money_halts
        from trading.actions.arriving import welcome_key
        from trading.actions.halting import holds_money
        from trading.actions.telling import tell_withdrawal

        after_key_added.append(welcome_key)
        after_withdrawal.append(tell_withdrawal)
        money_halts.append(holds_money)
