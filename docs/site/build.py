"""Build the site: python -m docs.site.build; Sphinx's options may follow.

Writes the sources to .cache/site/source and the pages to .cache/site/html, where all warnings are errors. What has not
changed since an earlier build is not made again.
"""

import os
import sys

from docs.site import sources

BUILD = sources.ROOT / ".cache" / "site"


def main(options: list[str]) -> int:
    """Build; Sphinx's exit code, which is 0 without a warning."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        from sphinx.cmd.build import build_main
    except ImportError:
        sys.exit("the site needs Sphinx: pip install -e '.[docs]'")
    from docs.site import config_pages, reference  # which import JAX

    written = {
        *sources.write(BUILD / "source"),
        *config_pages.write(BUILD / "source" / "configs"),
        *reference.write(BUILD / "source" / "reference"),
    }
    for path in (BUILD / "source").rglob("*"):  # of an earlier build
        if path.is_file() and path not in written:
            path.unlink()
    builder = "html" if "-b" not in options else options[options.index("-b") + 1]
    settings = ["-c", str(sources.ROOT / "docs" / "site"), "-W", "--keep-going", "-q"]
    return build_main([*settings, "-b", builder, *options, str(BUILD / "source"), str(BUILD / builder)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
