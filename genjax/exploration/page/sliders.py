"""Sliders whose value is the browser's.

NiceGUI's own is sent back by the server, which takes the slider back while a key is held or the pointer moves on.
"""

from collections.abc import Callable

from genjax.exploration.page.tab import Tab


def slider(tab: Tab, name: str, on_change: Callable, value: float, **limits):
    """A slider with a name for readers of screens; `limits` are min, max and step."""
    control = tab.ui.slider(value=value, on_change=on_change, **limits)
    return _at_once(control).props(f'aria-label="{name}"')


def two_ended(tab: Tab, name: str, on_change: Callable, value: dict[str, int], last: int):
    """A slider from 0 to `last` with two ends, by the keys "min" and "max" of its value."""
    control = tab.ui.range(min=0, max=last, step=1, value=value, on_change=on_change)
    return _at_once(control).props(f'markers aria-label="{name}"').classes("px-3")


def _at_once(control):
    control.LOOPBACK = control.props["loopback"] = False
    return control
