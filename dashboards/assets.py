"""The package's own styles and scripts, as text, and the one script that draws every chart. Read when asked for."""

from jinja2 import Environment, PackageLoader


def text(name: str) -> str:
    """A file of `static/`, such as `page.css`."""
    return PackageLoader("dashboards", "static").get_source(Environment(autoescape=True), name)[0]


def chart_script() -> str:
    """`charts.js`, to lie beside the pages: Vega, Vega-Lite and Vega-Embed in one file of about 0.9 MB, and
    our glue.

    The libraries are those inside vl-convert-python (the extra `local`); ImportError without it. Pages
    without this file show their tables instead.
    """
    import vl_convert

    return vl_convert.javascript_bundle(text("charts.js"))
