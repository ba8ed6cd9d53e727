"""When each periodic duty is next due, so that of any number of workers one takes it."""

from django.db import models


class DutyTurn(models.Model):
    """One row for each duty. Whoever moves `due_at` on by one statement has the duty."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
