"""Panels of log-log lines as an SVG picture."""

import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 400, 330  # Of a panel, with its margins.
LEFT, RIGHT, TOP, BOTTOM = 62, 104, 34, 46
HEAD = 62  # Above the panels.
LABEL_GAP = 13


@dataclasses.dataclass
class Line:
    label: str
    color: str
    points: list  # Of (x, y), both above 0.
    dashed: bool = False


@dataclasses.dataclass
class Panel:
    title: str
    lines: list


def text(x, y, content, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


def short(value):
    """1000 as 1k, 1000000 as 1M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def spread(places, gap=LABEL_GAP):
    """Moves sorted places apart by at least `gap`, about their common middle."""
    groups = []  # Of places that touch: [sum of middles, number].
    for place in places:
        groups.append([place, 1])
        while len(groups) > 1:
            (sum_a, count_a), (sum_b, count_b) = groups[-2:]
            if sum_b / count_b - sum_a / count_a >= gap * (count_a + count_b) / 2:
                break
            groups[-2:] = [[sum_a + sum_b, count_a + count_b]]
    return [total / count + gap * (i - (count - 1) / 2) for total, count in groups for i in range(count)]


class Axes:
    """Maps values to places in a panel."""

    def __init__(self, xs, ys):
        self.xs, self.ys = xs, ys

    def x(self, value):
        low, high = map(math.log, self.xs)
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(value) - low) / (high - low)

    def y(self, value):
        low, high = map(math.log, self.ys)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log(value) - low) / (high - low)

    def draw(self, x_label, y_label, x_ticks):
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for tick in x_ticks:
            yield f'<path class="grid" d="M{self.x(tick):.1f} {TOP}V{bottom}"/>'
            yield text(self.x(tick), bottom + 15, f"{tick:,}")
        for power in range(round(math.log10(self.ys[0])), round(math.log10(self.ys[1])) + 1):
            tick = 10 ** power
            yield f'<path class="grid" d="M{LEFT} {self.y(tick):.1f}H{right}"/>'
            yield text(LEFT - 6, self.y(tick) + 4, short(tick), "end")
        yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
        yield text((LEFT + right) / 2, bottom + 34, x_label)
        middle = (TOP + bottom) / 2
        yield text(16, middle, y_label, more=f' transform="rotate(-90 16 {middle:.1f})"')


def draw_line(axes, line, label_y):
    places = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in line.points)
    dashes = ' stroke-dasharray="5 4"' if line.dashed else ""
    yield f'<polyline points="{places}" stroke="{line.color}"{dashes}/>'
    end = axes.x(line.points[-1][0])
    yield (f'<path d="M{end + 2:.1f} {axes.y(line.points[-1][1]):.1f}L{end + 9:.1f} {label_y:.1f}" stroke="{line.color}" '
           'stroke-width="0.7"/>')
    yield text(end + 12, label_y + 4, line.label, "start", f' fill="{line.color}"')


def draw_panel(panel, axes, labels):
    yield text(LEFT, TOP - 12, panel.title, "start", ' class="title"')
    yield from axes.draw(*labels)
    lines = sorted(panel.lines, key=lambda line: axes.y(line.points[-1][1]))
    for line, label_y in zip(lines, spread([axes.y(line.points[-1][1]) for line in lines])):
        yield from draw_line(axes, line, label_y)


def draw_legend(entries, width):
    """The meaning of colours, in a row below the title."""
    x = width - 20
    for label, color, dashed in reversed(entries):
        x -= 6.2 * len(label)
        yield text(x, 26, label, "start")
        dashes = ' stroke-dasharray="5 4"' if dashed else ""
        yield f'<path d="M{x - 28:.1f} 22h22" stroke="{color}" stroke-width="2"{dashes}/>'
        x -= 44


def draw(title, subtitle, panels, columns, legend, x_label, y_label, x_ticks):
    """The picture as SVG: panels with common axes, row by row. `legend` has (label, colour, dashed)."""
    points = [point for panel in panels for line in panel.lines for point in line.points]
    ys = [y for _, y in points]
    xs = [x for x, _ in points]
    axes = Axes((min(xs), max(xs)), (10.0 ** math.floor(math.log10(min(ys))), 10.0 ** math.ceil(math.log10(max(ys)))))
    width, height = columns * WIDTH, HEAD + -(-len(panels) // columns) * HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             "<style>.grid{stroke:#ddd}.axis{stroke:#555}.title{font-weight:bold}path,polyline{fill:none}"
             "polyline{stroke-width:2}</style>",
             f'<rect width="{width}" height="{height}" fill="white"/>',
             text(20, 26, title, "start", ' font-size="16" class="title"'), text(20, 46, subtitle, "start", ' fill="#555"')]
    parts += draw_legend(legend, width)
    for i, panel in enumerate(panels):
        parts.append(f'<g transform="translate({i % columns * WIDTH} {HEAD + i // columns * HEIGHT})">')
        parts += draw_panel(panel, axes, (x_label, y_label, x_ticks))
        parts.append("</g>")
    return "\n".join(parts + ["</svg>"]) + "\n"
