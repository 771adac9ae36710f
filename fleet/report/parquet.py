"""`samples.parquet`: the samples with their types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import COLUMNS, Sample
from fleet.analysis.study import Study
from fleet.results.folder import Content

if TYPE_CHECKING:
    import pyarrow as pa

ROWS, AT_ONCE = 1 << 15, 1 << 12
"""Of a row group, whose columns are in memory at once; and of these so many as objects."""

_NULLABLE = ("start_ns", "end_ns")
_TYPES = {"repeat": "int64", "wecs": "int64", **dict.fromkeys(_NULLABLE, "int64")}
_TYPES |= {"seconds": "float64", "server_seconds": "float64"}
"""Of Arrow; every other column is text."""


class ParquetReporter:
    """The same rows and columns as `samples.csv`, text unquoted; times are nullable 64-bit integers."""

    def files(self, study: Study) -> Mapping[str, Content]:
        """`samples.parquet`, compressed with zstd."""
        return {"samples.parquet": lambda file: _write(study.samples, file)}


def _write(samples: Samples, file: BinaryIO) -> None:
    import pyarrow as pa  # noqa: PLC0415 - a cold start of the command line must not pay for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = _schema()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        rows = iter(samples)
        for begin in range(0, max(1, len(samples)), ROWS):
            count = min(ROWS, len(samples) - begin)
            batches = [_batch(list(islice(rows, AT_ONCE)), schema) for _ in range(0, max(1, count), AT_ONCE)]
            writer.write_table(pa.Table.from_batches(batches, schema=schema))
    pa.default_memory_pool().release_unused()  # some 30 MB, which Arrow keeps for a next table


def _batch(group: Sequence[Sample], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415

    return pa.RecordBatch.from_arrays([_column(group, field) for field in schema], schema=schema)


def _column(group: Sequence[Sample], field: pa.Field) -> pa.Array:
    """From buffers: whatever else makes an array loads pandas, where that is installed, which takes 50 MB."""
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    values = [getattr(sample, field.name) for sample in group]
    if field.name in _TYPES:
        known = np.packbits(np.array([value is not None for value in values], dtype=np.bool_), bitorder="little")
        numbers = np.array([0 if value is None else value for value in values], dtype=_TYPES[field.name])
        return pa.Array.from_buffers(field.type, len(group), [pa.py_buffer(known), pa.py_buffer(numbers)])
    texts = [(value if isinstance(value, str) else ";".join(value)).encode() for value in values]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return pa.Array.from_buffers(field.type, len(group), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def _schema() -> pa.Schema:
    """With what pandas looks for in a file, so that it takes an integer that may be missing for one, and not for a
    float, which cannot hold nanoseconds."""
    import pyarrow as pa  # noqa: PLC0415

    columns = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": _TYPES.get(name, "object"),
            "numpy_type": "Int64" if name in _NULLABLE else _TYPES.get(name, "str"),
            "metadata": None,
        }
        for name in COLUMNS
    ]
    told = {
        "index_columns": [],
        "column_indexes": [],
        "columns": columns,
        "attributes": {},
        "creator": {"library": "pyarrow", "version": version("pyarrow")},
        "pandas_version": version("pandas"),
    }
    types = {name: pa.type_for_alias(_TYPES[name]) if name in _TYPES else pa.large_string() for name in COLUMNS}
    return pa.schema(types.items(), metadata={"pandas": json.dumps(told)})
