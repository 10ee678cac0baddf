# SPDX-License-Identifier: MIT
"""A file of results as shmring-bench --json wrote it, or that compressed by xz."""
import json
import lzma
import pathlib


def document(path):
    """Raises OSError or ValueError."""
    data = pathlib.Path(path).read_bytes()
    try:
        return json.loads(lzma.decompress(data) if str(path).endswith(".xz") else data)
    except lzma.LZMAError as error:
        raise ValueError(f"not compressed by xz: {error}") from error
