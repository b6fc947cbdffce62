"""The text of a price list -> prices by Region and architecture. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from monitors.errors import InputError
from monitors.rightsize import prices
from monitors.rightsize.prices import ARM, X86, Price

COLUMNS = ("region", "arch", "usd_per_gb_second_tier1", "usd_per_1m_requests")
"""What a list has at least, in its first line; other columns are for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceList:
    """The prices that a report counts with."""

    date: str = prices.DATE
    file: str = ""
    """Empty for the project's own list."""
    listed: Mapping[tuple[str, str], Price] | None = None
    """By Region and architecture; None for the project's own."""

    def price(self, region: str, architecture: str) -> Price:
        """What a GB-second and a request cost there; InputError if a file doesn't say."""
        if self.listed is None:
            return prices.price(region, architecture)
        if found := self.listed.get((region, architecture)):
            return found
        raise InputError(f"{self.file}: no price of {architecture} in {region}")

    def has(self, region: str, architecture: str) -> bool:
        """Whether it says what that costs."""
        return self.listed is None or (region, architecture) in self.listed


OWN = PriceList()


def price_list(text: str, *, file: str, date: str) -> PriceList:
    """The list in a CSV text: a line for each Region and architecture with the COLUMNS, prices in USD.

    Raises:
        InputError: a column is missing, or a line says no price; names the `file` and the line.
    """
    listed: dict[tuple[str, str], Price] = {}
    for line, row in _rows(text, file):
        where, key = f"{file}:{line}", (row["region"], row["arch"])
        if not key[0] or key[1] not in (X86, ARM):
            raise InputError(f"{where}: expected a Region, and {X86} or {ARM}, not {key[0]!r:.80} and {key[1]!r:.80}")
        if key in listed:
            raise InputError(f"{where}: {key[1]} in {key[0]} has its price above already")
        gb_second, million = (_usd(row[name], name, where) for name in COLUMNS[2:])
        listed[key] = Price(gb_second=gb_second, request=million / 1e6)
    if not listed:
        raise InputError(f"{file}: no prices")
    return PriceList(date=date, file=file, listed=listed)


def _rows(text: str, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line on which it ends; of what is missing at its end, nothing."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), restval="", strict=True)
    try:
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise InputError(f"{file}:1: no column {', '.join(missing)}: it takes {','.join(COLUMNS)}")
        for row in reader:
            yield reader.line_num, {name: row[name].strip() for name in COLUMNS}
    except csv.Error as error:
        raise InputError(f"{file}:{reader.reader.line_num}: not CSV: {error}") from error


def _usd(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = inf
    if not 0 < value < inf:
        raise InputError(f"{where}: {column} is {text!r:.80}, not an amount of USD above 0")
    return value
