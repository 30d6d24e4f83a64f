"""The picture of the results: bars for a few rows, readable on light and on dark pages."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.contestants import ROOT

PICTURE = ROOT / "docs" / "images" / "bench.svg"

_WIDTH = 780
_MARGIN = 16
_LABELS = 190
_BAR, _STEP = 16, 23
_HEAD = 34
_GAP = 18
_STYLE = """
  .page { fill: #ffffff; stroke: #d1d9e0; }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; }
  .value { fill: #59636e; }
  .bar { fill: #a9b4c0; }
  .own { fill: #1f6feb; }
  .ours { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d; }
    text { fill: #e6edf3; }
    .value { fill: #9198a1; }
    .bar { fill: #4a5561; }
    .own { fill: #4493f8; }
  }
"""

Bar = tuple[str, float, bool]
"""Label, value, whether it is ours."""
Panel = tuple[str, Sequence[Bar]]


def draw(panels: Sequence[Panel], path: Path = PICTURE) -> None:
    """One panel under the other; each has a scale of its own, from zero.

    It brings its background along: pages do not always follow the reader's colour scheme.
    """
    parts: list[str] = []
    top = _MARGIN - 4
    for title, bars in panels:
        parts += _panel(title, bars, top)
        top += _HEAD + len(bars) * _STEP + _GAP
    height = top - _GAP + _MARGIN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img">\n'
        f"<title>{escape('; '.join(title for title, _ in panels))}</title>\n"
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(title: str, bars: Sequence[Bar], top: int) -> list[str]:
    lines = [f'<text class="title" x="{_MARGIN}" y="{top + 18}">{escape(title)}</text>']
    longest = max((value for _, value, _ in bars), default=1) or 1
    left = _MARGIN + _LABELS
    room = _WIDTH - left - 80
    for index, (label, value, is_ours) in enumerate(bars):
        y = top + _HEAD + index * _STEP
        width = max(1.5, value / longest * room)
        own, ours = (" own", ' class="ours"') if is_ours else ("", "")
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
        lines += [
            f'<text{ours} x="{left - 10}" y="{y + 13}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="bar{own}" x="{left}" y="{y}" width="{width:.1f}" height="{_BAR}"'
            ' rx="2"/>',
            f'<text class="value" x="{left + width + 7:.1f}" y="{y + 13}">{shown}</text>',
        ]
    return lines
