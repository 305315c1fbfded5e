"""El esquema de una base de datos: si este programa lo puede usar, y cómo se pone al día.

Qué es: lo que los dos motores preguntan al abrir, y otra vez cuando algo les falla.
Qué no es: quién migra y bajo qué cerrojo; eso es de cada motor.
Por qué existe: con un esquema que no es el suyo un proceso no registra nada ni rechaza nada: dice por qué, y
los eventos esperan.
"""

from typing import Final

from sqlalchemy import Connection, MetaData

from alpespartners.migraciones import (
    CABEZA,
    HISTORIA,
    EsquemaDesconocido,
    Historia,
    MigracionFallida,
    actualizar,
    revision,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from alpespartners.seedwork.orden import ORDEN
from alpespartners.seedwork.sql.estructura import diferencias

SIN_MAS_TABLAS: Final = MetaData()
"""Las de nadie más."""

_POSTERIOR = "es de una versión posterior a este programa: actualícelo."


class EsquemaNoSirve(Exception):
    """Este programa no puede usar el esquema ni ponerlo al día; la frase sigue a «La base de datos».

    Attributes:
        causa: el error que lo impidió, si hubo uno.
    """

    def __init__(self, frase: str, causa: Exception | None = None) -> None:
        super().__init__(frase)
        self.causa = causa


def comprobar(conexion: Connection, metadatos: MetaData = SIN_MAS_TABLAS) -> None:
    """Comprueba que el esquema es el de este programa: su revisión, sus tablas y sus columnas.

    Args:
        conexion: a la base de datos.
        metadatos: las tablas de otro módulo que también ha de tener.

    Raises:
        EsquemaNoSirve: falta, o es otro.
    """
    escrita = revision(conexion)
    if escrita is None:
        raise EsquemaNoSirve(f"no tiene las tablas del programa: ejecute `{ORDEN} migrar`.")
    if escrita > CABEZA:
        raise EsquemaNoSirve(_POSTERIOR)
    if escrita < CABEZA:
        raise EsquemaNoSirve(f"es de una versión anterior a este programa: ejecute `{ORDEN} migrar`.")
    _comprobar_estructura(conexion, metadatos)


def comprobar_en_marcha(conexion: Connection, metadatos: MetaData = SIN_MAS_TABLAS) -> None:
    """Como `comprobar`, para quien ya está en marcha: no termina, espera.

    Raises:
        BaseDatosNoDisponible: el esquema falta, o es otro; dice cuál.
    """
    try:
        comprobar(conexion, metadatos)
    except EsquemaNoSirve as fallo:
        raise BaseDatosNoDisponible(f"la base de datos {fallo}") from None


def poner_al_dia(
    conexion: Connection, historia: Historia = HISTORIA, metadatos: MetaData = SIN_MAS_TABLAS
) -> None:
    """Migra dentro de la transacción de la conexión, y comprueba que quedó lo que este programa espera.

    Raises:
        EsquemaNoSirve: no se pudo, o no quedó; deshacer la transacción lo deja todo como estaba.
    """
    try:
        actualizar(conexion, historia)
    except EsquemaDesconocido:
        raise EsquemaNoSirve(_POSTERIOR) from None
    except MigracionFallida as fallo:
        raise EsquemaNoSirve(f"no se pudo migrar y sigue como estaba: {fallo}.", fallo.causa) from fallo
    _comprobar_estructura(conexion, metadatos)


def _comprobar_estructura(conexion: Connection, metadatos: MetaData) -> None:
    if faltas := diferencias(conexion, METADATOS, metadatos):
        raise EsquemaNoSirve(
            f"no tiene lo que este programa necesita: {'; '.join(faltas)}. Su revisión, la {CABEZA}, es la "
            "de este programa: o le falta una migración, o alguien cambió las tablas."
        )
