"""UTF-16 arithmetic: Telegram counts text and entity offsets in UTF-16 code units."""


def units(text: str) -> int:
    """Length in UTF-16 code units: an emoji beyond the basic plane counts two."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def offsets(text: str) -> list[int]:
    """For each character its UTF-16 offset, and the length at the end: len(text) + 1 numbers, ascending."""
    found = [0]
    for char in text:
        found.append(found[-1] + (2 if char > "\uffff" else 1))
    return found


def cut(text: str, offset: int, length: int) -> str:
    """The part of ``text`` at ``offset`` of ``length``, both in UTF-16 code units."""
    return text.encode("utf-16-le")[offset * 2 : (offset + length) * 2].decode("utf-16-le", "replace")
