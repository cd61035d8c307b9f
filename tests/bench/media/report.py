"""The table and the plot of the media benchmark."""

NAMES = {"raw": "raw XDP redirect (the limit)", "kernel": "Hornwork, kernel path",
         "user": "Hornwork, user path over AF_XDP", "user-sockets": "Hornwork, user path over sockets",
         "nft": "kernel forwarding, nftables NAT", "rtpengine": "rtpengine, newest", "rtpengine-10.5": "rtpengine 10.5"}
COLOURS = {"raw": "#9aa0a6", "kernel": "#0b6e4f", "user": "#2a9d8f", "user-sockets": "#8ac6b8", "nft": "#7b6d8d",
           "rtpengine": "#c8553d", "rtpengine-10.5": "#e09f7d"}
GOALS = (   # what, of which way, against which, at most, at how many streams
    ("program time of the kernel path / raw redirect's", "program_ns", "kernel", "raw", 1.5),
    ("CPU per packet of the kernel path / nftables NAT's", "cpu_ns_per_packet", "kernel", "nft", 1 / 8),
    ("CPU per packet of the kernel path / rtpengine's", "cpu_ns_per_packet", "kernel", "rtpengine", 1 / 50),
    ("CPU per packet of the user path over AF_XDP / rtpengine's", "cpu_ns_per_packet", "user", "rtpengine", 1 / 5),
    ("CPU per packet of the user path over sockets / rtpengine's", "cpu_ns_per_packet", "user-sockets", "rtpengine", 1 / 2),
)
GOAL_STREAMS = 1000


def cell(value, digits=0):
    """A figure, or a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def by_key(rows):
    """{(path, streams): row}"""
    return {(row["path"], row["streams"]): row for row in rows}


def table(rows):
    """Figures and, for each number of streams, CPU per packet as a multiple of the kernel path's."""
    head = f"{'way':34} {'packets/s':>11} {'CPU ns':>9} {'ratio':>7} {'program ns':>11} {'p50 us':>8} {'p99 us':>8} {'lost':>6}"
    lines = []
    for streams in sorted({row["streams"] for row in rows}):
        these = [row for row in rows if row["streams"] == streams]
        one = next((row for path in ("kernel", "raw") for row in these if row["path"] == path), these[0])
        lines += ["", f"{streams} streams (ratio: CPU per packet, {NAMES[one['path']]} = 1)", head]
        for row in these:
            ratio = row["cpu_ns_per_packet"] / one["cpu_ns_per_packet"] if one["cpu_ns_per_packet"] > 0 else None
            lines.append(f"{NAMES[row['path']]:34} {cell(row['packets_per_s']):>11} {cell(row['cpu_ns_per_packet']):>9} "
                         f"{cell(ratio, 1):>7} {cell(row['program_ns']):>11} {cell(row['p50_us'], 1):>8} "
                         f"{cell(row['p99_us'], 1):>8} {cell(row['lost']):>6}")
    return "\n".join(lines + ["", *goals(rows)])


def goals(rows):
    """Each goal of the kernel and user paths that these rows can tell of, reached or not."""
    found, lines = by_key(rows), []

    def line(what, value, limit, good, unit=""):
        lines.append(f"{'reached' if good else 'MISSED '} {what}: {value:.3g}{unit} (goal {limit:.3g}{unit})")

    for what, key, path, other, limit in GOALS:
        ours, theirs = found.get((path, GOAL_STREAMS)), found.get((other, GOAL_STREAMS))
        if ours and theirs and ours[key] and theirs[key]:
            ratio = ours[key] / theirs[key]
            line(f"{what} at {GOAL_STREAMS:,} streams", ratio, limit, ratio <= limit)
    few, many, one = (found.get(("kernel", streams)) for streams in (100, 10000, GOAL_STREAMS))
    if few and many:
        ratio = many["cpu_ns_per_packet"] / few["cpu_ns_per_packet"]
        line("CPU per packet of the kernel path at 10,000 streams / at 100", ratio, 1.3, ratio <= 1.3)
    if one:
        line("packets per second on one core, kernel path", one["packets_per_s"] / 1e6, 1, one["packets_per_s"] >= 1e6, " M")
    raw = found.get(("raw", GOAL_STREAMS))
    if one and raw:
        more = one["p99_us"] - raw["p99_us"]
        line("p99 of the kernel path above raw redirect's at half load", more, 20, more <= 20, " us")
    return lines


def bar(x, y, width, height, colour):
    """A rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" fill="{colour}"/>'


def text(x, y, content, size=13, anchor="start", weight="normal"):
    """A line of text in the reader's own colour."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="currentColor">{content}</text>')


def plot(rows):
    """CPU per packet of each way at each number of streams, as bars on one scale; SVG."""
    paths = [path for path in NAMES if any(row["path"] == path for row in rows)]
    streams = sorted({row["streams"] for row in rows})
    found = by_key(rows)
    most = max(row["cpu_ns_per_packet"] for row in rows)
    left, width, step, bar_height = 250, 480, 17, 13
    group = len(streams) * step + 12
    height = 62 + len(paths) * group
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 {height}" font-family="sans-serif" role="img">',
           "<style>svg{color:#222}@media(prefers-color-scheme:dark){svg{color:#ddd}}</style>",
           "<title>CPU time per relayed packet</title>",
           text(10, 22, "CPU time per relayed packet, ns (shorter is better)", 16, weight="bold"),
           text(10, 42, f"G.711 both ways, one core, {', '.join(f'{n:,}' for n in streams)} streams from top to bottom", 12)]
    for number, path in enumerate(paths):
        top = 56 + number * group
        out.append(text(left - 10, top + len(streams) * step / 2 + 4, NAMES[path], 13, "end"))
        for i, n in enumerate(streams):
            row = found.get((path, n))
            if row:
                length = width * row["cpu_ns_per_packet"] / most
                out.append(bar(left, top + i * step, length, bar_height, COLOURS[path]))
                out.append(text(left + length + 6, top + i * step + 11, cell(row["cpu_ns_per_packet"]), 11))
    return "\n".join(out + ["</svg>", ""])


BEGIN, END = "<!-- bench-media: written by `make bench-media README=1` -->", "<!-- bench-media: end -->"


def readme(page, rows):
    """The page with its table of figures and ratios made anew; its plot stands beside it in docs."""
    found = by_key(rows)
    streams = sorted({row["streams"] for row in rows})
    lines = [BEGIN, "| CPU per packet, as a multiple of the kernel path's | " + " | ".join(f"{n:,} streams" for n in streams)
             + " | packets/s, one core | added p50 / p99 us |", "|---|" + "---|" * (len(streams) + 2)]
    for path, name in NAMES.items():
        if not any(row["path"] == path for row in rows):
            continue
        cells = []
        for n in streams:
            ours, one = found.get((path, n)), found.get(("kernel", n))
            cells.append(f"{ours['cpu_ns_per_packet'] / one['cpu_ns_per_packet']:.1f}" if ours and one else "-")
        row = found.get((path, GOAL_STREAMS)) or found[(path, streams[-1])]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {row['packets_per_s'] / 1e6:.2f} M | "
                     f"{cell(row['p50_us'], 1)} / {cell(row['p99_us'], 1)} |")
    before, rest = page.split(BEGIN, 1)
    return before + "\n".join([*lines, END]) + rest.split(END, 1)[1]
