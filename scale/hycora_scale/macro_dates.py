"""Moments as macros write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import regex as re

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PARTS = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|A|a")

_VALUES: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: str(at.year),
    "YY": lambda at: f"{at.year % 100:02}",
    "MMMM": lambda at: _MONTHS[at.month - 1],
    "MMM": lambda at: _MONTHS[at.month - 1][:3],
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: str(at.month),
    "dddd": lambda at: _DAYS[at.weekday()],
    "ddd": lambda at: _DAYS[at.weekday()][:3],
    "DD": lambda at: f"{at.day:02}",
    "D": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{at.hour % 12 or 12:02}",
    "h": lambda at: str(at.hour % 12 or 12),
    "mm": lambda at: f"{at.minute:02}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02}",
    "s": lambda at: str(at.second),
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "a": lambda at: "am" if at.hour < 12 else "pm",
}


def format_date(at: datetime, pattern: str) -> str:
    """A moment after a pattern such as `YYYY-MM-DD HH:mm`; text in brackets stays."""
    return _PARTS.sub(lambda part: _VALUES[part[0]](at) if part[1] is None else part[1], pattern)


def clock_of(at: datetime) -> str:
    """A moment as people write it: "4:03 PM"."""
    return format_date(at, "h:mm A")


def day_of(at: datetime) -> str:
    """A day as people write it: "May 3, 2026"."""
    return format_date(at, "MMMM D, YYYY")
