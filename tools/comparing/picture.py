"""The picture of a comparison: the ratios as bars against their bounds, and the latency distributions as curves. SVG."""

from xml.sax.saxutils import escape

INK, GRID, OURS, THEIRS, BOUND = "#222222", "#dddddd", "#1b7f5c", "#b5482f", "#7a5cc0"


def text(x, y, words, size=13, anchor="start", colour=INK):
    return '<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s">%s</text>' % (x, y, size, anchor, colour, escape(words))


def line(x1, y1, x2, y2, colour, width=1):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>' % (x1, y1, x2, y2, colour, width)


def ratios(rows, top):
    """A bar a row: the ratio of medians, 1 being Redis; the mark is what is asked."""
    left, width, step = 270, 480, 34
    parts = [text(20, top, "Ratio of medians, Sluice to Redis (1 = Redis; the mark is the bound)", 15)]
    widest = max([1.2] + [row["ratio"] * 1.1 for row in rows])
    for tick in (0.25, 0.5, 0.75, 1.0):
        x = left + width * tick / widest
        parts.append(line(x, top + 12, x, top + 20 + step * len(rows), GRID, 2 if tick == 1 else 1))
        parts.append(text(x, top + 34 + step * len(rows), "%.2f" % tick, 11, "middle"))
    for i, row in enumerate(rows):
        y = top + 20 + i * step
        parts.append(text(left - 10, y + 15, row["name"], 13, "end"))
        parts.append('<rect x="%d" y="%.1f" width="%.1f" height="20" fill="%s"/>' % (left, y, width * row["ratio"] / widest, OURS))
        x = left + width * row["bound"] / widest
        parts.append(line(x, y - 3, x, y + 23, BOUND, 3))
        parts.append(text(left + width * row["ratio"] / widest + 6, y + 15, "%.2f" % row["ratio"], 12))
    return parts, top + 60 + step * len(rows)


def latencies(curves, top):
    """p50 to the maximum at a fixed rate; the scale of time is logarithmic."""
    import math
    left, width, height = 90, 660, 220
    points = [("p50_us", "p50"), ("p90_us", "p90"), ("p99_us", "p99"), ("p999_us", "p99.9"), ("max_us", "max")]
    values = [figures[key] for figures in curves.values() for key, _ in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    parts = [text(20, top, "Latency of XADD at a fixed rate, from the moment it was due (microseconds)", 15)]

    def place(column, us):
        x = left + width * column / (len(points) - 1)
        return x, top + 20 + height * (1 - (math.log10(us) - low) / max(1, high - low))

    for power in range(low, high + 1):
        _, y = place(0, 10 ** power)
        parts += [line(left, y, left + width, y, GRID), text(left - 8, y + 4, "%d" % 10 ** power, 11, "end")]
    for column, (_, label) in enumerate(points):
        parts.append(text(left + width * column / (len(points) - 1), top + height + 38, label, 12, "middle"))
    for (name, figures), colour in zip(curves.items(), (THEIRS, OURS)):
        spots = [place(column, figures[key]) for column, (key, _) in enumerate(points)]
        parts.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"/>' % (" ".join("%.1f,%.1f" % s for s in spots), colour))
        parts.append(text(spots[-1][0] + 8, spots[-1][1] + 4, name, 13, colour=colour))
    return parts, top + height + 60


def draw(path, rows, curves):
    parts, top = [], 40
    for draw_part, data in ((ratios, rows), (latencies, curves)):
        if data:
            drawn, top = draw_part(data, top)
            parts += drawn
            top += 20
    with open(path, "w") as svg:
        svg.write('<svg xmlns="http://www.w3.org/2000/svg" width="840" height="%d" font-family="sans-serif">\n' % top)
        svg.write('<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")
