"""Lo que hay en la base de datos, leído por fuera del programa mientras este trabaja.

Qué es: unas pocas consultas de solo lectura, con parámetros, sobre el archivo SQLite.
Qué no es: los repositorios del producto; quien audita no debe creerles.
Por qué existe: contar lo que hay, por identidad de comando, es la mitad de la auditoría.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.sqlite import archivo_de, biblioteca_sqlite
from tests.muerte.carga import Aceptado
from tests.muerte.envios import CONVERSIONES, IMPRESIONES

TOPICOS: Final[Mapping[str, str]] = {
    IMPRESIONES: COMANDO_REGISTRAR_IMPRESION,
    CONVERSIONES: COMANDO_REGISTRAR_CONVERSION,
}
_COMANDO_DE_LA_FILA: Final = {
    IMPRESIONES: "SELECT comando_id FROM impresiones WHERE id = ?",
    CONVERSIONES: "SELECT comando_id FROM conversiones WHERE id = ?",
}
_FILAS: Final = {
    IMPRESIONES: "SELECT id, comando_id FROM impresiones",
    CONVERSIONES: "SELECT id, comando_id FROM conversiones",
}


@dataclass(frozen=True, slots=True)
class Asiento:
    """Una fila de la tabla de destinos."""

    comando_id: str
    evento_id: str | None
    estado: str
    motivo: str | None
    original: str | None


class Libro:
    """La base de datos de una carpeta."""

    def __init__(self, datos: Path) -> None:
        self._uri = f"{archivo_de(datos).as_uri()}?mode=ro"

    def tiene_tablas(self) -> bool:
        """Dice si los consumidores ya lo crearon."""
        return bool(self._filas("SELECT 1 FROM sqlite_master WHERE name = 'bandeja_salida'"))

    def sin_destino(self, aceptados: Iterable[Aceptado]) -> list[Aceptado]:
        """Los aceptados que todavía no acabaron en nada."""
        with closing(self._conectar()) as conexion:
            return [aceptado for aceptado in aceptados if not _tiene_destino(conexion, aceptado)]

    def envios_pendientes(self) -> int:
        """Cuántos envíos esperan en la bandeja de salida."""
        ((cuantos,),) = self._filas("SELECT count(*) FROM bandeja_salida")
        return int(cuantos)

    def registrados(self, clase: str) -> list[tuple[str, str]]:
        """Todas las filas de una clase de eventos: `id` y `comando_id`."""
        return [(str(fila[0]), str(fila[1])) for fila in self._filas(_FILAS[clase])]

    def asientos(self, clase: str) -> list[Asiento]:
        """Todos los destinos de una clase que no son una fila suya."""
        return [
            Asiento(*fila)
            for fila in self._filas(
                "SELECT comando_id, evento_id, estado, motivo, original FROM destinos WHERE topico = ?",
                TOPICOS[clase],
            )
        ]

    def balance(self, clase: str) -> Counter[tuple[str, str | None]]:
        """Lo sumado en el balance de una clase, por estado y motivo."""
        filas = self._filas(
            "SELECT estado, motivo, sum(cuantos) FROM balance WHERE topico = ? GROUP BY estado, motivo",
            TOPICOS[clase],
        )
        return Counter({(estado, motivo or None): cuantos for estado, motivo, cuantos in filas})

    def _filas(self, consulta: str, *parametros: str) -> list[tuple[Any, ...]]:
        with closing(self._conectar()) as conexion:
            filas: list[tuple[Any, ...]] = conexion.execute(consulta, parametros).fetchall()
            return filas

    def _conectar(self) -> Any:
        return biblioteca_sqlite().connect(self._uri, uri=True, timeout=20)


def _tiene_destino(conexion: Any, aceptado: Aceptado) -> bool:
    clase = aceptado.envio.clase
    if conexion.execute(_COMANDO_DE_LA_FILA[clase], (aceptado.envio.id,)).fetchone() == (
        aceptado.comando_id,
    ):
        return True
    consulta = "SELECT 1 FROM destinos WHERE topico = ? AND comando_id = ?"
    return conexion.execute(consulta, (TOPICOS[clase], aceptado.comando_id)).fetchone() is not None
