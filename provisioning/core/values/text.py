"""Text that people type or paste, in the one form that is stored and compared.

Stored is Unicode's composed form (NFC, UAX 15) with line feeds as line ends. Everything people write is taken, also
what this Python's version of Unicode does not know yet. Refused are control characters, and the characters that turn
the direction of the text around them ("Trojan Source", CVE-2021-42574).
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

MAX_MARKS = 30
"""Combining marks in a row (UAX 15, stream-safe text format): composing longer runs takes quadratic time."""
MAX_PUNYCODE = 46
"""Characters after ``xn--``, so that a slug is no longer than the stem of an item's key."""
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (UAX 9). Marks such as U+200F only say what a space belongs to; they may stand."""
_REFUSED_CATEGORIES = ("Cc", "Cs")
_CONTROL_NAMES = {"\t": "a tab", "\n": "a line end", "\x1b": "escape", "\x7f": "delete"}


def normalise_text(text: str) -> str:
    """Return the text composed, with line feeds as line ends and without white space around it."""
    if not text.isascii() and not _has_too_many_marks(text):
        text = unicodedata.normalize("NFC", text)
    return (text if text.isprintable() else _LINE_ENDS.sub("\n", text)).strip()


def spellings(text: str) -> tuple[str, ...]:
    """Return what a text may be stored as: composed or, long ago, decomposed, and in the usual cases where it has other
    letters than ASCII, whose case a database without a locale does not know."""
    text = normalise_text(text)
    if text.isascii() or _has_too_many_marks(text):
        return (text,)
    cases = (text, text.lower(), text.upper(), text.title(), text.capitalize())
    return tuple(dict.fromkeys(unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in cases))


def name_key(name: str) -> str:
    """Return what two names that mean the same have in common: case and spelling do not count (Unicode, D145)."""
    return name.casefold() if name.isascii() else normalise_text(normalise_text(name).casefold())


def text_fault(text: str, *, lines: bool = False) -> str | None:
    """Return what a normalised text may not hold, as a phrase after “holds”; None where it is fine.

    ``lines``: a text of several lines, which may hold line ends and tabs too.
    """
    if not text.isascii() and _has_too_many_marks(text):
        return f"more than {MAX_MARKS} marks on one letter"
    if text.isprintable():
        return None
    for char in text:
        is_refused = char in _DIRECTION_CONTROLS or unicodedata.category(char) in _REFUSED_CATEGORIES
        if is_refused and not (lines and char in "\n\t"):
            name = unicodedata.name(char, "") or _CONTROL_NAMES.get(char, "a control character")
            return f"U+{ord(char):04X} ({name})"
    return None


def slug(text: str) -> str:
    """Return lower-case letters, digits and dashes, never none: ``London Core!`` is ``london-core``.

    Accents go. A text in another script is its Punycode behind ``xn--``, as in domain names (RFC 3492, RFC 5890); of
    a long one the end is a digest.
    """
    if not text.isascii():
        text = normalise_text(text).casefold()
        decomposed = unicodedata.normalize("NFKD", text)
        without_accents = "".join(char for char in decomposed if not unicodedata.combining(char))
        if not without_accents.isascii():
            return _punycode(text)
        text = without_accents
    return _dashed(text) or "x"


def _punycode(text: str) -> str:
    encoded = re.sub(r"[\x00-/:-`{-\x7f]+", "-", text).encode("punycode").decode()
    if len(encoded) > MAX_PUNYCODE:
        encoded = f"{encoded[: MAX_PUNYCODE - 9]}-{sha256(encoded.encode()).hexdigest()[:8]}"
    return f"xn--{_dashed(encoded)}"


def _dashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _has_too_many_marks(text: str) -> bool:
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MAX_MARKS:
            return True
    return False
