"""Hypothesis profile without deadlines: tests share two busy cores, so the time of one example means nothing."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
