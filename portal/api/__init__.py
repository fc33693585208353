"""The REST API, ``/api/v1/``: authentication and problems first, then one module per subject."""
