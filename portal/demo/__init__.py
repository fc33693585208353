"""What `manage.py seed_demo` seeds."""

NOT_PROVISIONED = 3
"""Its exit code where all is seeded, but not everything could be provisioned; the output says what is missing."""
