"""A User: one person, who signs in by e-mail address."""

from typing import ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from policies.notifications.preferences import Tell


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None, *, name: str) -> "User":
        """Save a new person; the address is kept in lower case."""
        user = self.model(email=email.strip().lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]  # django-otp has no types
    """A person. What they may do follows from their memberships, never from here."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=80)
    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=10, default="en")
    tell = models.CharField(max_length=10, choices=Tell.choices, default=Tell.NEEDED)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    objects: ClassVar = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower"),
        ]

    def __str__(self) -> str:
        return self.name
