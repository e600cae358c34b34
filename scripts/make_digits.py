#!/usr/bin/env python3
"""Writes src/train/data/digits/digits.bin.gz from scikit-learn's copy of the UCI digits.

The unpacked file holds 1,797 labels (one byte each), then 1,797 × 8 × 8 pixels (one byte each, 0 to 16).
Output is the same on every machine for one version of zlib; archc reads only the unpacked bytes.

    python scripts/make_digits.py        # needs numpy and scikit-learn
"""

import gzip
import io
import pathlib

import numpy as np
from sklearn.datasets import load_digits

OUT = pathlib.Path(__file__).parent.parent / "src/train/data/digits/digits.bin.gz"


def main() -> None:
    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    pixels = digits.images.astype(np.uint8)
    assert labels.shape == (1797,) and pixels.shape == (1797, 8, 8) and pixels.max() == 16
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(labels.tobytes() + pixels.tobytes())
    OUT.write_bytes(packed.getvalue())
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
