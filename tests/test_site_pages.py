"""The pages of the built site in a browser: no page is wider than a phone. Slow: needs `make docs`, and Chromium.

`python tests/test_site_pages.py FOLDER` writes screenshots of pages there, for a phone and a desktop, light and dark.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / ".cache" / "site" / "html"
BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PHONE, DESKTOP = (390, 844), (1280, 900)
SHOWN = ("index", "configs/index", "configs/dcgan", "configs/stylegan2", "tutorials/gans", "from_pytorch")
SHOWN += ("reference/losses", "gans", "operators", "source/genjax/nets/contracts.py")

MEASURE = """<!doctype html><body><script>
const pages = PAGES, widths = {};
(async () => {
  for (const page of pages) {
    const frame = document.createElement("iframe");
    frame.style = "width:WIDTHpx;height:800px;border:0";
    frame.src = page;
    const loaded = new Promise(done => frame.onload = done);
    document.body.append(frame);
    await loaded;
    widths[page] = frame.contentDocument.documentElement.scrollWidth;
    frame.remove();
  }
  document.body.innerHTML = "<pre id=widths>" + JSON.stringify(widths) + "</pre>";
})();
</script></body>"""
"""A page that loads each page in a frame as wide as a phone, and writes how wide its content is."""


def browse(*arguments: str) -> str:
    """What the browser prints, which it does without a window."""
    with tempfile.TemporaryDirectory() as profile:
        always = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        argv = [BROWSER, *always, "--allow-file-access-from-files", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True).stdout


def widths(pages: list[Path], width: int) -> dict[str, int]:
    """The widths of pages' contents in a window of some width."""
    wrapper = SITE / "_widths.html"
    paths = json.dumps([str(page.relative_to(SITE)) for page in pages])
    wrapper.write_text(MEASURE.replace("PAGES", paths).replace("WIDTH", str(width)), "utf-8")
    try:
        text = browse("--dump-dom", "--virtual-time-budget=600000", wrapper.as_uri())
    finally:
        wrapper.unlink()
    return json.loads(html.unescape(re.search(r'id="widths">(.*?)</pre>', text)[1]))


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER or not (SITE / "index.html").is_file(), reason="no browser, or no site: make docs")
def test_no_page_is_wider_than_a_phone():
    pages = sorted(path for path in SITE.rglob("*.html") if not path.name.startswith("_"))
    assert len(pages) > 90
    measured = widths(pages, PHONE[0])
    assert {page: width for page, width in measured.items() if width > PHONE[0]} == {}


def screenshots(folder: Path, names=SHOWN) -> None:
    """Write screenshots of pages: a phone's in a frame, since a browser's window is wider."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for shade in ("light", "dark"):
            for place, (width, height) in {"phone": PHONE, "desktop": DESKTOP}.items():
                wrapper = SITE / "_screenshot.html"
                frame = f'<iframe src="{name}.html" style="width:{width}px;height:{height}px;border:0"></iframe>'
                wrapper.write_text(f'<!doctype html><body style="margin:0">{frame}</body>', "utf-8")
                dark = ["--blink-settings=preferredColorScheme=0"] if shade == "dark" else []
                target = folder / f"{name.replace('/', '_')}_{place}_{shade}.png"
                size = f"--window-size={width},{height}"
                browse(*dark, size, "--virtual-time-budget=8000", f"--screenshot={target}", wrapper.as_uri())
                wrapper.unlink()


if __name__ == "__main__":
    screenshots(Path(sys.argv[1]), tuple(sys.argv[2:]) or SHOWN)
