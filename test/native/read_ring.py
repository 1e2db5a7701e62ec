"""Reads a ring to its end and prints what it saw, as one object of JSON. Arguments: the ring, and how many frames to look at before saying so on a line."""

import json
import sys
import time

import numpy as np
from frame_ring import FrameRing

DEADLINE_S = 20

ring = FrameRing(sys.argv[1])
reader = ring.reader(0)
read = void = wrong = 0
last = -1
gaps = 0
column = np.arange(ring.width, dtype=np.uint32)
below = (np.arange(ring.width, ring.width * ring.height, dtype=np.uint32) * 31).astype(np.uint16).reshape(ring.height - 1, ring.width)
deadline = time.monotonic() + DEADLINE_S
print("ready", flush=True)
while time.monotonic() < deadline:
    closed = ring.closed
    frame = reader.next()
    if frame is None:
        if closed:
            break
        time.sleep(0.0005)
        continue
    same = np.array_equal(frame.pixels[0], (column + 7 * frame.sequence).astype(np.uint16)) and np.array_equal(frame.pixels[1:], below)
    measured = (frame.pixels.min(), frame.pixels.max(), frame.pixels.mean(dtype=np.float64), np.count_nonzero(frame.pixels >= ring.saturation))
    means = tuple(frame.pixels[y : y + h, x : x + w].mean(dtype=np.float64) for x, y, w, h in ring.regions)
    if not frame.whole():
        void += 1
        continue
    read += 1
    wrong += not same
    wrong += measured != (frame.minimum, frame.maximum, frame.mean, frame.saturated) or means != frame.region_means
    wrong += frame.hardware_time_ns != frame.sequence * 1_000_000 or frame.exposure_ns != 500_000 or abs(frame.time_ns / 1e9 - time.time()) > 60
    gaps += frame.sequence - last - 1
    last = frame.sequence
shares = np.shares_memory(ring.frame(ring.published - 1).pixels, ring._pixels)
print(json.dumps({"read": read, "void": void, "wrong": int(wrong), "lost": reader.lost, "gaps": gaps, "published": ring.published, "copied": not shares}))
ring.close()
