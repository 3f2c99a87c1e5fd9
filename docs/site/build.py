"""Build the site: python -m docs.site.build; Sphinx's options may follow.

Writes the sources to .cache/site/source and the pages to .cache/site/html, where all warnings are errors. What has not
changed since an earlier build is not made again.
"""

import json
import os
import sys
from pathlib import Path

from docs.site import sources

BUILD = sources.ROOT / ".cache" / "site"
UNREACHED = ("NameResolutionError", "NewConnectionError", "ConnectTimeoutError", "ProxyError", "Network is unreachable")
"""Errors of a link that say nothing about it: the other site was not found, or did not answer."""


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
    code = build_main([*settings, "-b", builder, *options, str(BUILD / "source"), str(BUILD / builder)])
    if builder == "linkcheck":
        print(summary(BUILD / builder / "output.json"))
    return code


def summary(report: Path) -> str:
    """A line on the links to other sites that `linkcheck` has followed; those between pages are in every build."""
    links = {}
    for line in report.read_text("utf-8").splitlines():
        link = json.loads(line)
        is_unreached = link["status"] == "broken" and any(text in link["info"] for text in UNREACHED)
        links[link["uri"]] = "not reached" if is_unreached else link["status"]
    counts = {status: sum(each == status for each in links.values()) for status in sorted({*links.values()})}
    offline = ": is there a network?" if "working" not in counts and "not reached" in counts else ""
    return "links: " + ", ".join(f"{count:,} {status}" for status, count in counts.items()) + offline


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
