from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *_args: Any, **_fields: Any) -> NoReturn:
        """Django's own command ends here, in a sentence."""
        raise ValidationError("There are no superusers here. See `manage.py operator --help`.")


class User(AbstractBaseUser, PermissionsMixin):
    """A person. One person has one user, however many desks; e-mail is the name at the door."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the system"
        DARK = "dark", "Dark"
        LIGHT = "light", "Light"

    class Results(models.TextChoices):
        """The colours of profit and loss."""

        GREEN_UP = "green-up", "Green up"
        RED_UP = "red-up", "Red up"
        BLUE_ORANGE = "blue-orange", "Blue and orange"

    class Density(models.TextChoices):
        REGULAR = "regular", "Regular"
        COMPACT = "compact", "Compact"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    sessions_epoch = models.PositiveIntegerField(default=0)  # raising it ends every session of the person at once
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    results = models.CharField(max_length=12, choices=Results, default=Results.GREEN_UP)
    density = models.CharField(max_length=8, choices=Density, default=Density.REGULAR)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """What a session must carry to be believed: it changes with the password and with `sessions_epoch`."""
        salt = f"kfweb.accounts.session.{self.sessions_epoch}"
        return salted_hmac(salt, self.password, secret=secret, algorithm="sha256").hexdigest()
