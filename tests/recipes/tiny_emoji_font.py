"""A colour font of plain rectangles, laid out as Noto Color Emoji: bitmaps of 136 x 128 pixels, and ligatures."""

import struct
import zlib
from typing import Dict, Tuple

_WIDTH, _HEIGHT, _MARGIN, _ASCENT, _PIXELS_PER_EM, _UNITS_PER_EM = 136, 128, 4, 101, 109, 2048

Colour = Tuple[int, int, int]


def build(colours: Dict[str, Colour]) -> bytes:
    """Returns the font. A text of several characters is a ligature; these must have a colour of their own."""
    glyphs = {text: number for number, text in enumerate(sorted(colours, key=lambda text: (len(text), text)), 1)}
    images = [_image(colours[text]) for text in glyphs]
    count = len(glyphs) + 1  # The first is .notdef, which has no bitmap.
    advance = _WIDTH * _UNITS_PER_EM // _PIXELS_PER_EM
    tables = {
        b"CBDT": struct.pack(">HH", 3, 0) + b"".join(images),
        b"CBLC": _locations(images),
        b"GSUB": _ligatures(glyphs),
        b"cmap": _characters(glyphs),
        b"head": struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, _UNITS_PER_EM, 0, 0,
                             0, 0, 0, 0, 0, 8, 2, 0, 0),
        b"hhea": struct.pack(">IhhhHhhhhhh8xhH", 0x10000, 1900, -500, 0, advance, 0, 0, 0, 1, 0, 0, 0, count),
        b"hmtx": struct.pack(">Hh", advance, 0) * count,
        b"maxp": struct.pack(">IH", 0x5000, count),
    }
    offset, directory, body = 12 + 16 * len(tables), b"", b""
    for tag, table in tables.items():
        directory += struct.pack(">4sIII", tag, 0, offset + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0) + directory + body


def _image(colour: Colour) -> bytes:
    empty, full = bytes(4), bytes((*colour, 255))
    row = b"\0" + empty * _MARGIN + full * (_WIDTH - 2 * _MARGIN) + empty * _MARGIN

    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    png = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 6, 0, 0, 0))
           + chunk(b"IDAT", zlib.compress(row * _HEIGHT)) + chunk(b"IEND", b""))
    return struct.pack(">BBbbBI", _HEIGHT, _WIDTH, 0, _ASCENT, _WIDTH, len(png)) + png


def _locations(images: list) -> bytes:
    offsets = [0]
    for image in images:
        offsets.append(offsets[-1] + len(image))
    last = len(images)
    index = struct.pack(">HHIHHI", 1, last, 8, 1, 17, 4) + struct.pack(f">{len(offsets)}I", *offsets)
    line = struct.pack(">bbBbbbbbbbbb", _ASCENT, _ASCENT - _HEIGHT, _WIDTH, *[0] * 9)
    return (struct.pack(">HHI", 3, 0, 1) + struct.pack(">IIII", 56, len(index), 1, 0) + line + line
            + struct.pack(">HHBBBb", 1, last, _PIXELS_PER_EM, _PIXELS_PER_EM, 32, 1) + index)


def _characters(glyphs: Dict[str, int]) -> bytes:
    groups = b"".join(struct.pack(">III", ord(text), ord(text), glyph)
                      for text, glyph in glyphs.items() if len(text) == 1)
    return struct.pack(">HHHHIHHIII", 0, 1, 3, 10, 12, 12, 0, 16 + len(groups), 0, len(groups) // 12) + groups


def _ligatures(glyphs: Dict[str, int]) -> bytes:
    sets: Dict[int, list] = {}
    for text, glyph in sorted(glyphs.items(), key=lambda item: -len(item[0])):  # The longest is tried first.
        if len(text) > 1:
            first, *rest = [glyphs[character] for character in text]
            sets.setdefault(first, []).append(struct.pack(f">HH{len(rest)}H", glyph, len(text), *rest))
    firsts = sorted(sets)
    coverage = struct.pack(f">HH{len(firsts)}H", 1, len(firsts), *firsts)
    subtable = _with_offsets(struct.pack(">H", 1), [coverage] + [
        _with_offsets(b"", sets[first], counted=True) for first in firsts], counted_from=1)
    script = struct.pack(">HHHHHH", 4, 0, 0, 0xFFFF, 1, 0)
    scripts = struct.pack(">H4sH", 1, b"DFLT", 8) + script
    features = struct.pack(">H4sHHHH", 1, b"ccmp", 8, 0, 1, 0)
    lookups = struct.pack(">HH", 1, 4) + struct.pack(">HHHH", 4, 0, 1, 8) + subtable
    return _with_offsets(struct.pack(">HH", 1, 0), [scripts, features, lookups])


def _with_offsets(head: bytes, parts: list, counted: bool = False, counted_from: int = -1) -> bytes:
    """Returns `head`, the 16-bit offsets of `parts` (a count before all, or before those from one on), and these."""
    size = len(head) + 2 * len(parts) + (2 if counted or counted_from >= 0 else 0)
    offsets, body = [], b""
    for part in parts:
        offsets.append(size + len(body))
        body += part
    if counted:
        offsets.insert(0, len(parts))
    elif counted_from >= 0:
        offsets.insert(counted_from, len(parts) - counted_from)
    return head + struct.pack(f">{len(offsets)}H", *offsets) + body
