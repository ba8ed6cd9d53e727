"""When each periodic task is next due, so that of any number of workers one takes it."""

from django.db import models


class TaskTurn(models.Model):
    """One row for each periodic task. Whoever moves `due_at` on by one statement has it."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "work_dutyturn"

    def __str__(self) -> str:
        return self.name
