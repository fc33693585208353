"""Names that people give to drafts and accounts: the rules that names of objects have too."""

from __future__ import annotations

from provisioning.core.values.resource import Problem
from provisioning.core.values.text import normalise_text, text_fault
from provisioning.errors import ValidationFailed

MAX_LENGTH = 100


def read_name(name: str, word: str) -> str:
    """Return the name as it is stored; ``word``: what has it. Raises ValidationFailed where it cannot be one."""
    name = normalise_text(name)
    if not 1 <= len(name) <= MAX_LENGTH:
        wrong = f"Give the {word} a name of 1 to {MAX_LENGTH} characters."
        raise ValidationFailed(wrong, [Problem("out_of_range" if name else "required", "name", wrong)])
    if fault := text_fault(name):
        wrong = f"The name holds {fault}. Leave that out."
        raise ValidationFailed(wrong, [Problem("wrong_type", "name", wrong)])
    return name
