"""Pictures of emoji, from the bitmaps of a colour font.

Pillow draws with FreeType; its layout engine Raqm, with HarfBuzz, makes one picture of a sequence such as woman, skin
tone, joiner, fire engine.
"""

import pathlib
from typing import Union

from PIL import Image, ImageDraw, ImageFont, features

from script import Failure

SIZE = 128  # Width and height of a picture in pixels.

# The one size that Noto Color Emoji has bitmaps for. They are 136 x 128 pixels, four on either side being empty.
_PIXELS_PER_EM = 109
_KNOWN_EMOJI = "\U0001f600"

NO_GLYPH = "without a glyph"
SEVERAL_GLYPHS = "falling apart into several glyphs"


class Font:
    def __init__(self, path: pathlib.Path):
        if not features.check("raqm"):
            raise Failure("this Pillow has no Raqm, without which sequences of characters fall apart: "
                        "use Debian's python3-pil, which has it")
        try:
            self._font = ImageFont.truetype(str(path), _PIXELS_PER_EM)  # Pillow chooses Raqm where available.
        except OSError as error:
            raise Failure(f"{path} is not a font with bitmaps of {_PIXELS_PER_EM} pixels per em: {error}") from None
        self._advance = self._font.getlength(_KNOWN_EMOJI)
        if not self._is_drawn(_KNOWN_EMOJI):
            raise Failure(f"{path} is not an emoji font: it has no picture of U+{ord(_KNOWN_EMOJI):X}")

    def draw(self, sequence: str) -> Union[Image.Image, str]:
        """Returns the picture, RGB on white, or why there is none: NO_GLYPH or SEVERAL_GLYPHS."""
        if not self._is_drawn(sequence):
            return NO_GLYPH
        if self._font.getlength(sequence) > 1.5 * self._advance:
            return SEVERAL_GLYPHS
        left, top, right, bottom = self._font.getbbox(sequence)
        picture = Image.new("RGB", (SIZE, SIZE), "white")
        corner = ((SIZE - (right - left)) // 2 - left, (SIZE - (bottom - top)) // 2 - top)
        ImageDraw.Draw(picture).text(corner, sequence, font=self._font, embedded_color=True)
        return picture

    def _is_drawn(self, sequence: str) -> bool:
        _, top, _, bottom = self._font.getbbox(sequence)
        return bottom > top
