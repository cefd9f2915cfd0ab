"""Arrays in one file that other languages read without a library: the safetensors format.

Eight bytes, little-endian: the header's length. The header in JSON: name → {dtype, shape, data_offsets}. Then
the raw little-endian data. The header is padded so that data begin at a multiple of eight.
"""

import json
from collections.abc import Mapping

import numpy as np

_NAMES = {np.dtype("<f4"): "F32", np.dtype("<i4"): "I32"}


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """float32 and int32 arrays. @raises KeyError on other types."""
    header, parts, offset = {}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": _NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def unpack(content: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    data = memoryview(content)[8 + length :]
    types = {name: dtype for dtype, name in _NAMES.items()}
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }
