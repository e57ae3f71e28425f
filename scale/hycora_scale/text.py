"""Text files of strangers: the page's own reading of them."""

from __future__ import annotations

import re

from .errors import HycoraError

# How files begin that are no text, whatever of it they hold.
_BINARY = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"ORC\x01", "an ORC file"),
    (b"ORC\n", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"PK\x03\x04", "a zip archive, as tables and documents of office programs are"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"(\xb5/\xfd", "a zstd archive"),
    (b"Rar!", "a rar archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF-", "a PDF file"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a sound"),
    (b"\xff\xfe\x00\x00", "text in UTF-32"),
    (b"\x00\x00\xfe\xff", "text in UTF-32"),
)
_LOOKED_AT = 2**16
_CONTROLS = 0.005
_SOUND = 4
_CONTROL = bytes(byte for byte in range(128) if byte < 9 or (13 < byte < 32 and byte != 27) or byte == 127)


def decode_text(data: bytes, name: str) -> tuple[str, str | None]:
    """Text without a byte order mark, and what should be told of how it was read.

    UTF-8, what a byte order mark names, UTF-16 without one, else Windows-1252. Raises `format-unsupported` for a file
    that is binary.
    """
    for mark, kind in _BINARY:
        if data.startswith(mark):
            raise _refusal(name, kind)
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace"), None
    head = data[:_LOOKED_AT]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if (even == 0) != (odd == 0) and max(even, odd) > len(head) / 5:
        text = data.decode("utf-16-le" if even == 0 else "utf-16-be", "replace")
        return text, f"{name} has no byte order mark and was read as UTF-16"
    if 0 in head or len(head) - len(head.translate(None, _CONTROL)) > 2 + _CONTROLS * len(head):
        raise _refusal(name, "no text")
    return _decode_narrow(data, name)


def _refusal(name: str, kind: str) -> HycoraError:
    advice = "it is binary" if kind == "no text" else "it is not read"
    fact = f"{name} is {kind}: {advice}; save it as text in UTF-8, such as JSONL or CSV"
    return HycoraError("format-unsupported", fact)


def _decode_narrow(data: bytes, name: str) -> tuple[str, str | None]:
    text = data.decode("utf8", "replace").removeprefix("\ufeff")
    broken = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    if broken == 0:
        return text, None
    if len(re.findall(r"[^\x00-\x7f\ufffd]", text)) >= _SOUND * broken:
        return text, f"{name} has {broken} characters that are no UTF-8; they stand as \ufffd"
    latin = re.sub(r"[\x80-\x9f]", lambda found: _windows(found[0]), data.decode("latin-1"))
    return latin, f"{name} is not UTF-8 and was read as Windows-1252; where letters look wrong, save it as UTF-8"


def _windows(letter: str) -> str:
    return letter.encode("latin-1").decode("cp1252", "ignore") or letter
