"""`samples.parquet`: the samples with their types."""

from __future__ import annotations

import io
from collections.abc import Mapping

from fleet.analysis.samples import frame
from fleet.analysis.study import Study


class ParquetReporter:
    """The same rows and columns as `samples.csv`, text unquoted; times are nullable 64-bit integers."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`samples.parquet`, compressed with zstd."""
        import pyarrow as pa  # noqa: PLC0415 - a cold start of the command line must not pay for it
        import pyarrow.parquet as pq  # noqa: PLC0415

        out = io.BytesIO()
        table = pa.Table.from_pandas(frame(study.samples), preserve_index=False)
        pq.write_table(table, out, compression="zstd")
        return {"samples.parquet": out.getvalue()}
