"""Settings of Sphinx: `make docs`. See README.md beside this file."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.site import reference  # noqa: E402
from genjax import __version__  # noqa: E402

project = "genjax"
copyright = "the genjax authors, Apache-2.0"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = f"genjax {version}"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 6
myst_links_external_new_tab = False
highlight_language = "text"
suppress_warnings = ["misc.highlighting_failure"]  # of output in code blocks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"exclude-members": "parent, name, __init__, setup"}
autodoc_preserve_defaults = True
linkcheck_anchors = False


def setup(app):
    """Docstrings are plain text with `code` in it, and no reStructuredText."""

    def process(app, kind, name, thing, options, lines):
        lines[:] = reference.as_rst(lines)

    app.connect("autodoc-process-docstring", process)
