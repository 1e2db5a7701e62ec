"""As ring-reader.ts, with numpy: each frame is summed where it stands. `void`: overwritten meanwhile."""

import json
import sys
import time

import numpy as np
from frame_ring import FrameRing

with FrameRing(sys.argv[1]) as ring:
    reader = ring.reader(0)
    print("ready", flush=True)
    read = void = 0
    first = None
    while True:
        closed = ring.closed
        frame = reader.next()
        if frame is None:
            if closed:
                break
            time.sleep(0.0005)
            continue
        first = first or time.monotonic()
        total = int(frame.pixels.sum(dtype=np.uint64))
        if not frame.whole():
            void += 1
            continue
        if total / frame.pixels.size != frame.mean:
            sys.exit(f"frame {frame.index} is not what was written")
        read += 1
    seconds = time.monotonic() - (first or time.monotonic())
    print(json.dumps({"read": read, "lost": reader.lost, "void": void, "seconds": seconds}))
    frame = None
