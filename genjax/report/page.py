"""The frame of a page: one self-contained HTML file, for light and dark screens of any width."""

from html import escape
from importlib import resources
from string import Template

from genjax.files import encode


def framed(title: str, body: str, style: str = "") -> bytes:
    """A page of a title, which is plain text, and of HTML; `style` is CSS besides that of all pages."""
    style = "\n".join(filter(None, (asset("page.css").strip(), style.strip())))
    return encode(Template(asset("page.html")).substitute(title=escape(title), style=style, body=body))


def asset(name: str) -> str:
    """The text of a file of this package, such as page.css."""
    return resources.files("genjax.report").joinpath(name).read_text(encoding="utf-8")
