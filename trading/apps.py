from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = "Trading"

    def ready(self) -> None:
        from accounts.hooks import after_key_added, money_halts
        from trading.actions.arriving import welcome_key
        from trading.actions.halting import holds_money

        after_key_added.append(welcome_key)
        money_halts.append(holds_money)
