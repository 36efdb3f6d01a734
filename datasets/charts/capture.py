"""From a drawn figure to an image file, with the wear that figures have in papers and on the web."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageFilter

from words import pick


def capture(figure: Figure, rng: np.random.Generator, longest: int | None) -> tuple[bytes, str]:
    """The bytes of a PNG or JPEG and its extension; `longest` caps the longer side in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    image = _wear(image, rng)
    if longest and max(image.size) > longest:
        ratio = longest / max(image.size)
        image = image.resize(tuple(max(1, round(side * ratio)) for side in image.size), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if rng.random() < 0.55:
        if rng.random() < 0.4:
            image = image.quantize(int(rng.choice([16, 32, 64, 256])), dither=Image.Dither.NONE)
        image.save(buffer, "PNG", compress_level=4)
        return buffer.getvalue(), "png"
    image.save(buffer, "JPEG", quality=int(rng.integers(28, 96)), subsampling=int(rng.integers(3)), progressive=bool(rng.random() < 0.2))
    return buffer.getvalue(), "jpg"


def _wear(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Rescaling, trimming, blur, noise and loss of colour, each now and then."""
    width, height = image.size
    if rng.random() < 0.2:
        cut = rng.uniform(0, 0.05, 4) * (width, height, width, height)
        image = image.crop((round(cut[0]), round(cut[1]), round(width - cut[2]), round(height - cut[3])))
    if rng.random() < 0.12:
        border = rng.uniform(0, 0.12, 4) * (width, height, width, height)
        page = Image.new("RGB", (round(image.width + border[0] + border[2]), round(image.height + border[1] + border[3])), image.getpixel((0, 0)))
        page.paste(image, (round(border[0]), round(border[1])))
        image = page
    if rng.random() < 0.35:
        ratio = rng.uniform(0.5, 1.3)
        method = pick(rng, [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX])
        image = image.resize((max(64, round(image.width * ratio)), max(64, round(image.height * ratio))), method)
    if rng.random() < 0.1:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.04:
        noise = rng.normal(0, rng.uniform(2, 8), (image.height, image.width, 1))
        image = Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.07:
        image = image.convert("L").convert("RGB")
    return image
