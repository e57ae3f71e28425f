"""Names, tags and macros of strangers' rows: the page's own reading of them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex as re

# Characters that nobody sees: marks of direction, joints and breaks without width, byte order marks.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACE = re.compile(r"[\p{Zs}\t]+")
_SPACES = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
# What the page takes for white space at the ends of a text.
SPACES = f"{_SPACES}\u205f\u3000\ufeff"


def trim(text: str) -> str:
    """A text without the white space at its ends."""
    return text.strip(SPACES)


def well_formed(text: str) -> str:
    """A text with a replacement character for half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def without_unseen(text: str) -> str:
    """A text without the characters that nobody sees."""
    return _UNSEEN.sub("", text)


def plain_name(written: str) -> str:
    """A name as it is kept: composed, without what nobody sees, with single plain spaces."""
    return trim(_SPACE.sub(" ", without_unseen(unicodedata.normalize("NFC", well_formed(written)))))


_LOOKS_LIKE = str.maketrans("аеорсухіјѕкмтвнαβεζηικμνορτυχ", "aeopcyxijskmtbhabezhikmnoptyx")


def look_of(name: str) -> str:
    """The same for names that a reader takes for one: other capitals, other alphabets' letters of the same look."""
    folded = unicodedata.normalize("NFKC", name).lower()
    return re.sub(r"[\p{Join_Control}\p{Variation_Selector}\s]", "", folded).translate(_LOOKS_LIKE)


_NUMBERED = re.compile(
    r"(?:chat|conv|conversation|data|dialog|dialogue|dlg|doc|entry|episode|example|file|id|item|prompt|qa?|record|row"
    r"|sample|scene|session|story|task|test|thread|train)?[\s_#.:-]*[0-9]+",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


def is_row_number(name: str) -> bool:
    """Whether a name numbers a row rather than names somebody: `conversation_0`, a UUID, digits."""
    return bool(_NUMBERED.fullmatch(name) or _UUID.fullmatch(name))


_TRAIN = re.compile(r"train(?:ing)?(?![a-z])")
_HELD = re.compile(
    r"(?:test(?:ing)?|val(?:id(?:ation)?)?|dev(?:elopment)?|eval(?:uation)?|held[\s_-]?out|hold[\s_-]?out)(?![a-z])"
)


def split_of(value: object) -> str | None:
    """What a word says of the side of the split that a row is on; None where it says nothing."""
    word = trim(value).lower() if isinstance(value, str) else ""
    if word == "wording":
        return word
    if _TRAIN.match(word):
        return "train"
    return "test" if _HELD.match(word) else None


# Words that stand for the two sides wherever they come up, in a scene's text too.
_SIDES = {
    "visitor": ("{{user}}", "<user>", "user", "you", "me", "i", "human", "visitor", "player", "guest"),
    "character": ("{{char}}", "<char>", "<bot>", "assistant", "bot", "ai", "character"),
    "system": ("system", "developer"),
}
# Words that do so as the tag of a turn; in a scene's text they may be somebody's name.
_TAGS = {
    "visitor": ("instruction", "input", "usr"),
    "character": ("model", "role", "char", "agent", "npc", "output"),
    "system": ("system_prompt", "sys"),
    "tool": (
        *("tool", "function", "observation", "ipython", "environment", "function_call", "function_response"),
        *("tool_call", "tool_calls", "tool_response", "tool_result"),
    ),
}
# Words that do so in both.
_BOTH = {
    "visitor": ("prompter", "customer", "client", "question"),
    "character": ("gpt", "chatgpt", "answer", "response"),
}


def _kind_in(words: dict[str, tuple[str, ...]], word: str) -> str | None:
    key = re.sub(r"[\s-]+", "_", trim(without_unseen(word)).lower())
    key = re.sub(r"[{<]_|_[}>]", lambda end: end[0].replace("_", ""), key)
    return next((kind for kind, known in words.items() if key in known), None)


@lru_cache(4096)
def side_of(word: str) -> str | None:
    """Whom a word stands for wherever it comes up; None where it may be somebody's name."""
    return _kind_in(_SIDES, word)


@lru_cache(4096)
def tag_of(word: str) -> str | None:
    """Whom the tag of a turn stands for; None where it is somebody's name."""
    return side_of(word) or _kind_in(_BOTH, word) or _kind_in(_TAGS, word)


def side_in(names: set[str], word: str) -> str | None:
    """Whom a name stands for in a scene in which these speak."""
    if {"Q", "A"} <= names and word in ("Q", "A"):
        return "visitor" if word == "Q" else "character"
    return side_of(word) or _kind_in(_BOTH, word)


_MACRO = re.compile(r"\{\{\s*(char|user)\s*\}\}|<(char|bot|user)>", re.IGNORECASE)


def fill_names(text: str, role: str) -> str:
    """Fills in the names that cards and chats leave open; the visitor has none."""
    if "{{" not in text and "<" not in text:
        return text
    return _MACRO.sub(lambda found: "you" if (found[1] or found[2]).lower() == "user" else role, text)


def macros_in(text: str) -> list[str]:
    """The macros that a text still has."""
    return re.findall(r"\{\{[^{}\n]{1,60}\}\}", text) if "{{" in text else []
