"""Exportar a Parquet, con tipos: importes decimales, instantes de UTC, propiedades como un mapa.

Qué es: mientras se exporta, los eventos van a un flujo de Arrow, al que se añade por detrás; al acabar, ese
flujo se convierte en Parquet, en grupos de filas que caben en memoria.
Por qué existe: a un Parquet a medias no se le puede añadir nada, y una exportación que muere ha de poder
seguir. Si muere al convertir, convierte otra vez.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec import inspect
from pyarrow import parquet

_FILAS_POR_GRUPO: Final = 50_000
_TIPO_DE_VALOR: Final = pa.decimal128(19, 4)
"""Quince cifras y los cuatro decimales de la moneda que más tiene."""
_CATEGORIA: Final = pa.dictionary(pa.int32(), pa.string())
_TIPOS: Final[dict[type[inspect.Type], Any]] = {
    inspect.DateTimeType: pa.timestamp("us", "UTC"),
    inspect.DecimalType: _TIPO_DE_VALOR,
    inspect.DictType: pa.map_(pa.string(), pa.string()),
    inspect.CollectionType: pa.list_(pa.string()),
    inspect.BoolType: pa.bool_(),
    inspect.EnumType: _CATEGORIA,
}
"""Los demás son textos."""


class EnParquet:
    """Parquet con las columnas de una clase de evento."""

    def __init__(self, forma: type[msgspec.Struct]) -> None:
        campos = msgspec.structs.fields(forma)
        self._nombres = [campo.name for campo in campos]
        tipos = [(campo.encode_name, _tipo(inspect.type_info(campo.type))) for campo in campos]
        self._esquema = pa.schema(tipos)
        # En el flujo una categoría es su texto: sus códigos no se podrían ampliar por detrás.
        self._del_flujo = pa.schema(
            [(nombre, pa.string() if tipo == _CATEGORIA else tipo) for nombre, tipo in tipos]
        )

    def cabecera(self) -> bytes:
        """El esquema del flujo."""
        return bytes(self._del_flujo.serialize())

    def filas(self, cuerpos: Sequence[msgspec.Struct]) -> bytes:
        """Un lote más."""
        tipos: list[Any] = self._del_flujo.types
        columnas = [
            pa.array([_celda(getattr(cuerpo, nombre)) for cuerpo in cuerpos], tipo)
            for nombre, tipo in zip(self._nombres, tipos, strict=True)
        ]
        return bytes(pa.RecordBatch.from_arrays(columnas, schema=self._del_flujo).serialize())

    def rematar(self, a_medias: Path) -> Path:
        """Convierte el flujo entero; lo deja al lado, en el disco."""
        convertido = a_medias.with_name(f"{a_medias.name}.parquet")
        with convertido.open("wb") as destino:
            with parquet.ParquetWriter(destino, self._esquema) as escritor:
                for grupo in self._grupos(a_medias):
                    escritor.write_table(grupo.cast(self._esquema), _FILAS_POR_GRUPO)
            destino.flush()
            os.fsync(destino.fileno())
        return convertido

    def contar(self, archivo: Path) -> int:
        """Las que dice su pie."""
        return int(parquet.read_metadata(archivo).num_rows)

    def _grupos(self, a_medias: Path) -> Iterator[Any]:
        with pa.OSFile(str(a_medias)) as archivo, pa.ipc.open_stream(archivo) as flujo:
            lotes: list[Any] = []
            cuantas = 0
            for lote in flujo:
                lotes.append(lote)
                cuantas += lote.num_rows
                if cuantas >= _FILAS_POR_GRUPO:
                    yield pa.Table.from_batches(lotes)
                    lotes, cuantas = [], 0
            yield pa.Table.from_batches(lotes, self._del_flujo)


def _tipo(tipo: inspect.Type) -> Any:
    """El de Arrow que guarda lo mismo."""
    if isinstance(tipo, inspect.Metadata):
        return _tipo(tipo.type)
    if isinstance(tipo, inspect.UnionType):
        (suyo,) = (otro for otro in tipo.types if not isinstance(otro, inspect.NoneType))
        return _tipo(suyo)
    if isinstance(tipo, inspect.StructType):
        return pa.struct([(campo.encode_name, _tipo(campo.type)) for campo in tipo.fields])
    return next((de_arrow for forma, de_arrow in _TIPOS.items() if isinstance(tipo, forma)), pa.string())


def _celda(valor: Any) -> Any:
    """Un mapa es, para Arrow, la lista de sus pares, y un objeto, el mapa de sus campos."""
    if isinstance(valor, msgspec.Struct):
        return msgspec.structs.asdict(valor)
    return list(valor.items()) if isinstance(valor, dict) else valor
