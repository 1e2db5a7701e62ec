"""What pyarrow makes of a recording of scans, as one line of JSON. Argument: the table."""
import json
import sys

import pyarrow as pa

table = pa.ipc.open_stream(pa.memory_map(sys.argv[1])).read_all()
table.validate(full=True)
names = table.column_names[2:]
inputs = json.loads(table.schema.metadata.get(b"kymograph.acquisition", b"{}")).get("inputs", [])
spans = [(i["minimum"], i["maximum"], i["maximumCount"]) for i in inputs] or [(-10, 10, 65535)] * len(names)
columns = [table.column(name).to_pylist() for name in names]
counts = [[round((v - low) / (high - low) * most) for v in column] for column, (low, high, most) in zip(columns, spans)]
times = [t.value for t in table.column("time")]
print(json.dumps({
    "rows": table.num_rows,
    "types": [str(field.type) for field in table.schema],
    "units": [(table.schema.field(name).metadata or {}).get(b"unit", b"").decode() for name in names],
    "steps": sorted({b - a for a, b in zip(times, times[1:])}),
    "numbered": table.column("seq_num").to_pylist() == list(range(1, table.num_rows + 1)),
    "counts": [count for row in zip(*counts) for count in row],
}))
