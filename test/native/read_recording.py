"""Reads recordings of the test pattern batch by batch with pyarrow, as far as they go, and prints what it saw of each, as a list of JSON.

read_recording.py <period of the pattern> <recording> ...
"""

import json
import sys

import numpy as np
import pyarrow as pa


def seen(path, period):
    with pa.memory_map(path) as file, pa.ipc.open_stream(file) as reader:
        kind = reader.schema.field("frame").type
        frames = wrong = first = 0
        roi = exposure = clock = None
        ended = False
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                ended = True
                break
            except (pa.ArrowInvalid, OSError):
                break
            batch.validate(full=True)
            image = batch.column("frame").to_numpy_ndarray()[0]
            height, width = image.shape
            at = np.arange(width * height, dtype=np.uint32).reshape(height, width)
            expected = (at % period * 31).astype(np.uint16)
            sequence = batch.column("sequence")[0].as_py()
            first = sequence if frames == 0 else first
            expected[0] = at[0] + 7 * sequence
            wrong += not np.array_equal(image, expected)
            wrong += sequence != first + frames
            wrong += (batch.column("minimum")[0].as_py(), batch.column("maximum")[0].as_py()) != (image.min(), image.max())
            wrong += abs(batch.column("mean")[0].as_py() - image.mean()) > 1e-9
            if "roiMean1" in batch.schema.names:
                wrong += batch.column("roiMean1")[0].as_py() != image[0, :10].mean()
            roi = [batch.column(name)[0].as_py() for name in ("roiX", "roiY", "roiWidth", "roiHeight")]
            exposure = batch.column("exposure")[0].as_py()
            clock = batch.column("hardwareTime")[0].as_py() // max(1, sequence)
            frames += 1
        tensor = isinstance(kind, pa.FixedShapeTensorType)
        return {"tensor": tensor, "shape": kind.shape, "names": kind.dim_names, "wrong": int(wrong), "roi": roi, "exposure": exposure,
                "clock": clock, "first": first, "frames": frames, "ended": ended}


print(json.dumps([seen(path, int(sys.argv[1])) for path in sys.argv[2:]]))
