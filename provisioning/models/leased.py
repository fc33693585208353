"""What one worker at a time works on."""

from __future__ import annotations

from django.db import models


class Leased(models.Model):
    """A row that a worker holds by a lease (services/lease.py); what comes of an old ``lease_number`` is refused."""

    lease_owner = models.CharField(max_length=80, blank=True)
    lease_number = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True
