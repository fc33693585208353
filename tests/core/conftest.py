"""Property tests here share two busy cores with everything else: how long one example takes says nothing."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
