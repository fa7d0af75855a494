from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = "Trading"

    def ready(self) -> None:
        from accounts.hooks import after_key_added
        from trading.actions.arriving import welcome_key

        after_key_added.append(welcome_key)
