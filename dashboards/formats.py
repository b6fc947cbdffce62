"""Numbers, times and hostile text -> what a person may safely read. Pure."""

import math
import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

NONE = "–"
"""What stands where there is no value."""

_SPACE = "\u00a0"  # between a number and its unit, so that no line breaks there
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNSAFE_IN_LINKS = re.compile(r"[\x00-\x20\x7f-\x9f\\]|^//")  # browsers strip or reinterpret these


def inert(text: str) -> str:
    """The text with every control, direction or other unseen character spelled out: it can't disguise itself."""
    if text.isprintable():
        return text
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _INVISIBLE and c not in "\n\t" else c for c in text)


@lru_cache(maxsize=1024)
def link(address: str) -> str:
    """The address if it is http(s), relative or a fragment; empty for anything else (`javascript:`, `data:`)."""
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", address)
    if (scheme and scheme[0].lower() not in ("https:", "http:")) or _UNSAFE_IN_LINKS.search(address):
        return ""
    return address


def number(value: float | None, digits: int = 0) -> str:
    """Thousands separated; a dash for None, NaN and infinity."""
    return NONE if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def short(value: float | None) -> str:
    """A number of any size in about four characters: 0.012, 9.87, 123, 12.3k, 4.5M; of tiny ones two digits."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    for step, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= step:
            return f"{value / (1e3 if suffix == 'k' else step):.3g}{suffix}"
    if 1e-9 < size < 0.001:
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:,.0f}" if size >= 100 or value == int(value) else f"{value:.3g}"


def rounded(value: float) -> str:
    """A whole number; of 100 and more its first two digits: 87, 120, 10,000."""
    whole = round(value)
    return f"{whole if whole < 100 else round(whole, 2 - len(str(whole))):,}"


def ms(value: float | None) -> str:
    """A duration given in milliseconds: `0.4 ms`, `238 ms`, `1.24 s`, `14 min`."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if size >= 120_000:
        return f"{value / 60_000:,.0f}{_SPACE}min"
    if size >= 1_000:
        return f"{value / 1_000:.{2 if size < 10_000 else 1}f}{_SPACE}s"
    return f"{value:.0f}{_SPACE}ms" if size >= 10 or value == 0 else f"{value:.1f}{_SPACE}ms"


def usd(value: float | None) -> str:
    """US dollars, to the cent below 1,000; of less than a cent, its first two digits."""
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    digits = 0 if size >= 1000 else 2 if size >= 0.01 or size < 0.00001 else 1 - math.floor(math.log10(size))
    return f"{'−' if value < 0 else ''}${size:,.{digits}f}"


def share(value: float | None) -> str:
    """A fraction as a percentage, with the digits that small ones need: 0.004 -> `0.4 %`."""
    if value is None or not math.isfinite(value):
        return NONE
    percent = value * 100
    if abs(percent) >= 10 or percent == 0:
        return f"{percent:.0f}{_SPACE}%"
    return f"{percent:.1f}{_SPACE}%" if abs(percent) >= 0.1 else f"{percent:.1g}{_SPACE}%"


def moment(epoch_s: float | None) -> str:
    """Epoch seconds as `2026-11-23 20:05 UTC`; a dash for None and for what no calendar has."""
    try:
        return NONE if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return NONE


def span(seconds: float) -> str:
    """A length of time in its largest sensible unit: `45 s`, `90 min`, `36 h`, `14 days`."""
    for size, unit in ((2 * 86_400, "days"), (2 * 3_600, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / {'days': 86_400, 'h': 3_600, 'min': 60}[unit]:.0f}{_SPACE}{unit}"
    return f"{seconds:.0f}{_SPACE}s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f}{_SPACE}s"


def counted(n: int, one: str, many: str = "") -> str:
    """`1 alarm`, `2 alarms`, `0 alarms`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
