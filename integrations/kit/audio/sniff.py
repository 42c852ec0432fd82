"""Tells what an audio file is by its first bytes: vendors name files badly and answer HTML with 200."""

HEAD_BYTES = 64

EXTENSIONS = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/flac": "flac",
    "audio/webm": "webm",
    "audio/amr": "amr",
    "audio/aac": "aac",
}

_PREFIXES = (
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
)


def sniff(head: bytes) -> str:
    """The mime type by magic bytes (the first ``HEAD_BYTES`` are enough); empty when this is no audio we know."""
    for prefix, mime in _PREFIXES:
        if head.startswith(prefix):
            return mime
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return "audio/mp4"
    return _mpeg_frame(head)


def _mpeg_frame(head: bytes) -> str:
    """An MPEG audio frame without an ID3 tag starts with eleven set bits; layer 0 in ADTS means AAC."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return ""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else ""
    reserved = version == 1 or head[2] >> 4 == 15 or head[2] >> 2 & 3 == 3
    return "" if reserved else "audio/mpeg"


def extension_for(mime: str) -> str:
    """File name extension without a dot; empty for an unknown type."""
    return EXTENSIONS.get(mime, "")
