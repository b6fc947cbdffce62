"""Every colour of pages, charts and CloudWatch widgets, by what it means; and which signal a metric belongs
to.

Charts name a colour by its token, `var(--errors)`; the page's script puts in the value of the theme that is
on. Lines and bars have at least 3:1 contrast against their ground and text 4.5:1 (WCAG 2.2, 1.4.3 and
1.4.11), and the four signals stay apart for people who do not see red or green; the tests compute both.
"""

import re
from functools import lru_cache

COLOURS: tuple[tuple[str, str, str], ...] = (
    # token, on light, on dark
    ("paper", "#ffffff", "#14171b"),
    ("raised", "#f6f7f9", "#1c2026"),
    ("ink", "#1a1e24", "#e8eaed"),
    ("muted", "#565e6a", "#a3abb6"),
    ("line", "#d9dde3", "#343a43"),
    ("edge", "#7d8693", "#7a8390"),
    ("accent", "#0b5cad", "#7db9f5"),
    ("good", "#1a6b3c", "#5fce8c"),
    ("warn", "#8a5300", "#f0b04f"),
    ("bad", "#b3261e", "#ff8a80"),
    ("traffic", "#0072b2", "#56a8e8"),
    ("errors", "#cc4c02", "#ff9654"),
    ("latency", "#6b33cc", "#a673ff"),
    ("saturation", "#00846b", "#2fc7a4"),
    ("other", "#6b7480", "#98a1ad"),
    ("gateway", "#475261", "#c3cbd5"),
    ("wait", "#868f9c", "#747e8b"),
    ("queue", "#2f8499", "#6cc0d4"),
    ("start", "#cc4c02", "#ff9654"),
    ("runtime", "#a87500", "#e3b341"),
    ("restore", "#8c6d46", "#c4a57b"),
    ("handler", "#6b33cc", "#a673ff"),
    ("dependency", "#0072b2", "#56a8e8"),
)

PHASES: tuple[tuple[str, str, str], ...] = (
    # phase of a trace's response path, in words, token; in the order in which a request meets them
    ("gateway", "gateway", "gateway"),
    ("hop", "between services", "wait"),
    ("dispatch", "dispatch, queueing", "queue"),
    ("container_start", "container start", "start"),
    ("runtime_start", "runtime start", "runtime"),
    ("restore", "SnapStart restore", "restore"),
    ("handler", "own code", "handler"),
    ("dependency", "dependency", "dependency"),
    ("overhead", "runtime overhead", "other"),
)

SIGNALS = ("traffic", "errors", "latency", "saturation")
"""The golden signals, in the order to show them."""

_PATTERNS = (
    ("errors", r"error|fail|4xx|5xx|dropped|dead.?letter|dlq|reject|timed?.?out|abort|denied"),
    ("latency", r"duration|latency|age|lag|behind|elapsed|freshness|init"),
    (
        "saturation",
        r"throttl|concurren|utili[sz]|capacity|memory|exceeded|spill|visible|limit|percent|cpu|used|cost|billed",
    ),
)


_LIGHT = {name: on_light for name, on_light, _ in COLOURS}


def var(token: str) -> str:
    """The colour as charts name it, `var(--errors)`."""
    return f"var(--{token})"


def light(token: str) -> str:
    """The colour's hex value on a light ground, as CloudWatch widgets need it."""
    return _LIGHT[token]


@lru_cache(maxsize=1024)
def tint(token: str, share: float) -> str:
    """The light colour mixed with white: `share` of it."""
    value = light(token)
    parts = (int(value[n : n + 2], 16) for n in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)


@lru_cache(maxsize=4096)
def signal(metric: str) -> str:
    """Which golden signal a metric's name speaks of: errors, latency, saturation; traffic if nothing else."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", metric)
    return next((name for name, pattern in _PATTERNS if re.search(rf"(?i)\b({pattern})", words)), "traffic")


def stylesheet() -> str:
    """CSS custom properties for both themes: the system's choice, unless the page's button has set `data-theme`."""
    on_light = "".join(f"--{name}:{value};" for name, value, _ in COLOURS)
    on_dark = "".join(f"--{name}:{value};" for name, _, value in COLOURS)
    return (
        f":root{{color-scheme:light;{on_light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{on_dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{on_dark}}}\n"
    )
