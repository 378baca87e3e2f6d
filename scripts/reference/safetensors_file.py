"""Writes a safetensors file: header length, JSON header, raw little-endian data.

The layout is the one of https://github.com/huggingface/safetensors, written out here so that the
bytes depend on nothing but the values.
"""

import json
import struct
from pathlib import Path

import numpy as np

DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}
ALIGNMENT = 8  # the data starts at a multiple of this many bytes


def save(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes `tensors` (float32 or int32) in the given order, and `metadata` beside them."""
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": DTYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
