"""Rows as Parquet. The only module that knows pyarrow, which is an extra of its own: `capper[research]`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.study.exposure import Column, Exposure, Visit
from capper.study.formats.cells import Told, cells

try:
    import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]
except ImportError as exc:
    raise ConfigError("Parquet: pyarrow is missing; `pip install 'capper[research]'` brings it") from exc

_TYPES = {"timestamp[ms, tz=UTC]": pa.timestamp("ms", tz="UTC"), "string": pa.string(), "int32": pa.int32()}
_GROUP = 100_000


def write_parquet(path: Path, rows: Iterable[Exposure | Visit], columns: Sequence[Column]) -> int:
    """One file, compressed by Zstandard; what a column means goes with it. Returns how many rows."""
    schema = pa.schema(
        [
            pa.field(column.name, _TYPES[column.type], nullable=False, metadata={"meaning": column.meaning})
            for column in columns
        ]
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for some in batched(rows, _GROUP):
            parts = zip(*(cells(row, columns) for row in some), strict=True)
            arrays = [pa.array(part, field.type) for part, field in zip(parts, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema))
            count += len(some)
    return count


def read_parquet(path: Path) -> Iterator[Told]:
    """The rows of `write_parquet`."""
    for batch in pq.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()
