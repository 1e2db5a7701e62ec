"""Frames of a camera from Kymograph's ring, without a copy. Needs numpy. The layout is docs/frame-ring.md."""

import mmap
import os
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

MAGIC = b"KYMORING"
VERSION = 3
NO_HARDWARE_TIME = -(2**63)
PAGE_BYTES = 4096
MAX_REGIONS = 8

_HEADER = np.dtype(
    {
        "names": ["magic", "version", "headerBytes", "width", "height", "slots", "bytesPerPixel", "slotBytes", "frameBytes"]
        + ["saturation", "regionCount", "published", "closed", "regions"],
        "formats": ["S8", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u8", "<u8", "<u4", "<u4", "<u8", "<u4", ("<u4", (8, 4))],
        "offsets": [0, 8, 12, 16, 20, 24, 28, 32, 40, 48, 52, 64, 128, 192],
        "itemsize": 320,
    }
)
_STAMP = np.dtype(
    [
        ("sequence", "<u8"),
        ("timeNs", "<i8"),
        ("exposureNs", "<i8"),
        ("hardwareTimeNs", "<i8"),
        ("minimum", "<u2"),
        ("maximum", "<u2"),
        ("saturated", "<u4"),
        ("sum", "<u8"),
        ("regionSums", "<u8", (8,)),
    ]
)
_STAMP_AT = 8


@dataclass(frozen=True)
class Frame:
    """A frame as it stands in the ring. `pixels` changes under whoever holds it too long: what was made of it counts if whole() is true afterwards."""

    index: int
    sequence: int
    time_ns: int
    exposure_ns: int
    hardware_time_ns: Optional[int]
    minimum: int
    maximum: int
    mean: float
    saturated: int
    region_means: Tuple[float, ...]
    pixels: np.ndarray
    _ring: "FrameRing"

    def whole(self) -> bool:
        return self._ring._is_whole(self.index)


class FrameRing:
    """The mapped file, read-only. Close it when no more frames of it are used. `regions` are (x, y, width, height), in the order of a frame's region_means."""

    def __init__(self, path: str):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < PAGE_BYTES:
                raise ValueError(f"{path} is not a ring of frames")
            self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self._header = np.ndarray((), _HEADER, self._map)
        header = self._header
        if header["magic"] != MAGIC:
            raise ValueError(f"{path} is not a ring of frames")
        if header["version"] != VERSION:
            raise ValueError(f"{path} is a ring of version {header['version']}, which this reader cannot read")
        start, self.width, self.height, self.slots, pixel_bytes, step, frame_bytes, self.saturation, regions = (
            int(header[name])
            for name in ("headerBytes", "width", "height", "slots", "bytesPerPixel", "slotBytes", "frameBytes", "saturation", "regionCount")
        )
        self.regions = [tuple(int(side) for side in region) for region in header["regions"][:regions]]
        sound = (
            start == PAGE_BYTES
            and pixel_bytes == 2
            and self.width > 0
            and self.height > 0
            and self.slots >= 2
            and frame_bytes == self.width * self.height * 2
            and step % PAGE_BYTES == 0
            and step >= start + frame_bytes
            and start + step * self.slots <= size
            and 1 <= self.saturation <= 65535
            and regions <= MAX_REGIONS
            and all(w > 0 and h > 0 and x + w <= self.width and y + h <= self.height for x, y, w, h in self.regions)
        )
        if not sound:
            raise ValueError(f"{path} is a damaged ring: its header does not fit its length, or itself")
        self._locks = np.ndarray((self.slots,), "<u8", self._map, start, (step,))
        self._stamps = np.ndarray((self.slots,), _STAMP, self._map, start + _STAMP_AT, (step,))
        shape, strides = (self.slots, self.height, self.width), (step, self.width * 2, 2)
        self._pixels = np.ndarray(shape, "<u2", self._map, 2 * start, strides)

    @property
    def published(self) -> int:
        return int(self._header["published"])

    @property
    def closed(self) -> bool:
        return bool(self._header["closed"])

    def frame(self, index: int) -> Optional[Frame]:
        """Publication `index` (from 0); None when it is not in the ring, not yet or no more."""
        if not 0 <= index < self.published or not self._is_whole(index):
            return None
        slot = index % self.slots
        stamp = self._stamps[slot].copy()
        if not self._is_whole(index):
            return None
        sequence, time_ns, exposure_ns, hardware_ns, minimum, maximum, saturated, total = (int(stamp[name]) for name in _STAMP.names[:8])
        hardware = None if hardware_ns == NO_HARDWARE_TIME else hardware_ns
        means = tuple(int(part) / (width * height) for part, (_, _, width, height) in zip(stamp["regionSums"], self.regions))
        mean = total / (self.width * self.height)
        return Frame(index, sequence, time_ns, exposure_ns, hardware, minimum, maximum, mean, saturated, means, self._pixels[slot], self)

    def reader(self, start: Optional[int] = None) -> "Reader":
        """From publication `start` on; from the next one without it."""
        return Reader(self, self.published if start is None else start)

    def _is_whole(self, index: int) -> bool:
        return int(self._locks[index % self.slots]) == 2 * index + 2

    def close(self) -> None:
        """What still looks at the pixels keeps the map; it goes with the last of them."""
        self._header = self._locks = self._stamps = self._pixels = None
        try:
            self._map.close()
        except BufferError:
            self._map = None

    def __enter__(self) -> "FrameRing":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Reader:
    """One frame after the other. A reader that the writer laps counts what it has `lost` and goes on at a whole frame."""

    def __init__(self, ring: FrameRing, start: int):
        self._ring = ring
        self._next = start
        self.lost = 0

    @property
    def behind(self) -> int:
        """Frames that are there and have not been taken."""
        return max(0, self._ring.published - self._next)

    def next(self) -> Optional[Frame]:
        """The next frame; None until it is there."""
        while self._next < self._ring.published:
            lapped = self._ring.published - self._next >= self._ring.slots
            frame = None if lapped else self._ring.frame(self._next)
            if frame is not None:
                self._next += 1
                return frame
            target = max(self._next + 1, self._ring.published - self._ring.slots // 2)
            self.lost += target - self._next
            self._next = target
        return None
