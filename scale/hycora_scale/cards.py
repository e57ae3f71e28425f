"""A character's card as one system text."""

from __future__ import annotations

import re
from typing import Any

_FIELDS = ("system_prompt", "description", "personality", "scenario", "mes_example")


def card_text(card: dict[str, Any], user: str) -> str:
    """System prompt, description, personality, scenario and examples, joined by blank lines, names filled in."""
    inner = card.get("data")
    data = inner if isinstance(inner, dict) else card

    def text(key: str) -> str:
        value = data.get(key)
        return value if isinstance(value, str) else ""

    parts = [text(key) for key in _FIELDS]
    joined = "\n\n".join(part for part in parts if part.strip())
    name = text("nickname").strip() or text("name").strip()
    return re.sub(
        r"\{\{(char|user)\}\}|<(char|bot|user)>",
        lambda found: user if (found[1] or found[2]).lower() == "user" else name,
        joined,
        flags=re.IGNORECASE,
    )
