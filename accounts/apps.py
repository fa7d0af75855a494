from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People, desks and keys"

    def ready(self) -> None:
        """What allauth tells only by signals goes into the book."""
        from allauth.mfa import signals

        from accounts import mfa

        signals.authenticator_added.connect(mfa.note_added, dispatch_uid="kfweb")
        signals.authenticator_removed.connect(mfa.note_removed, dispatch_uid="kfweb")
        signals.authenticator_reset.connect(mfa.note_reset, dispatch_uid="kfweb")
