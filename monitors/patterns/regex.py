r"""A `%regex%` -> a search whose time is linear in the text. Pure.

AWS's expressions have no groups, but Python's `re` still backtracks: `a*a*a*a*b` on n letters takes n^5 steps, and
`\w\d+x` on digits n^2. A log line can be a megabyte, and somebody else writes it. So `re`, much the faster, searches a
text only if the worst case of this expression on a text so long is bearable, as it is on the lines that one meets; a
longer text goes through an automaton, at one step a character.
"""

import re
from collections.abc import Callable
from math import inf, prod

from monitors.patterns.automaton import Alternative, Chars, searcher
from monitors.patterns.expressions import ALL, alternatives

WORST = 2_000_000  # ours: steps that a search with `re` may take at worst, some hundredths of a second


def compiled(text: str) -> Callable[[str], bool]:
    r"""Whether the expression is found anywhere in a text. `^` and `$` are the text's own ends; `\d \w \s` are ASCII;
    `.` is anything but a newline. PatternError if AWS would not compile it.
    """
    found = alternatives(text)
    if not found:
        return lambda _: False
    reach = min(map(_reach, found)) / len(found)
    quick = re.compile("|".join(map(_source, found))).search
    sure = searcher(found)
    return lambda text: bool(quick(text)) if len(text) <= reach else sure(text)


def hints(text: str) -> tuple[str, ...]:
    """For each alternative the longest text that whatever it matches has in it; nothing if one has none."""
    found = [_longest(alternative) for alternative in alternatives(text)]
    return tuple(found) if all(found) else ()


def _longest(alternative: Alternative) -> str:
    runs = [""]
    for chars, least, most in alternative.atoms:
        if least == most == 1 and len(chars.low) == 1 and not chars.others:
            runs[-1] += next(iter(chars.low))
        else:
            runs.append("")
    return max(runs, key=len)


def _reach(alternative: Alternative) -> float:
    """The longest text on which `re` stays within WORST steps, if at each place (or only the first, at the text's
    start) it tries every number of every repetition.
    """
    spans = [inf if atom.most is None else atom.most - atom.least + 1 for atom in alternative.atoms]
    endless = spans.count(inf) + (not alternative.at_start)
    length = 1 + sum(atom.least if atom.most is None else atom.most for atom in alternative.atoms)
    once = length * prod(int(span) for span in spans if span < inf)
    return (WORST / once) ** (1 / endless) if endless else inf if once <= WORST else 0


def _source(alternative: Alternative) -> str:
    """The alternative as Python's `re` has it."""
    atoms = "".join(_set(chars) + _times(least, most) for chars, least, most in alternative.atoms)
    return (r"\A" if alternative.at_start else "") + atoms + (r"\Z" if alternative.at_end else "")


def _set(chars: Chars) -> str:
    if chars.others:
        but = "".join(map(re.escape, sorted(ALL - chars.low)))
        return f"[^{but}]" if but else r"[\s\S]"
    return f"[{''.join(map(re.escape, sorted(chars.low)))}]" if chars.low else r"[^\s\S]"


def _times(least: int, most: int | None) -> str:
    if least == most == 1:
        return ""
    return f"{{{least},{'' if most is None else most}}}"
