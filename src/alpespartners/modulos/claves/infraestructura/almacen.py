"""Las claves en su tabla: se añaden, se revocan y se leen; no se borran ni cambian de otro modo.

Por qué no se borran: una clave que existió, valga o no, es lo que dice que el servicio pide clave.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from alpespartners.modulos.claves.aplicacion.llavero import Lectura, Marca
from alpespartners.modulos.claves.dominio.clave import Alcance, ClaveGuardada, Dialecto
from alpespartners.modulos.claves.infraestructura.tablas import claves

_SIN_NINGUNA: Final[Marca] = (0, 0, None, None)


def agregar(conexion: Connection, clave: ClaveGuardada) -> bool:
    """Guarda una clave nueva y dice si es la primera."""
    es_la_primera = conexion.scalar(select(func.count()).select_from(claves)) == 0
    conexion.execute(
        insert(claves).values(
            identidad=clave.identidad,
            nombre=clave.nombre,
            sal=clave.sal,
            resumen=clave.resumen,
            alcances=_en_json(clave.alcances),
            dialecto=clave.dialecto,
            campanas=None if clave.campañas is None else _en_json(clave.campañas),
            prefijo=clave.prefijo,
            limite=clave.limite,
            caduca_en=clave.caduca_en,
            creada_en=clave.creada_en,
            origenes=_en_json(clave.origenes) if clave.origenes else None,
        )
    )
    return es_la_primera


def revocar(conexion: Connection, identidad: str, ahora: datetime) -> datetime | None:
    """Revoca la de esa identidad y devuelve desde cuándo lo está; `None` si no existe.

    A la que ya lo estaba no le cambia nada.
    """
    suya = claves.c.identidad == identidad
    conexion.execute(update(claves).where(suya, claves.c.revocada_en.is_(None)).values(revocada_en=ahora))
    return conexion.scalar(select(claves.c.revocada_en).where(suya))


def leer_si_cambiaron(conexion: Connection | None, conocida: Marca | None) -> Lectura:
    """Lee todas si su marca no es la conocida; sin tablas, no hay ninguna.

    Las que no escribió este programa van aparte: por una de otra versión no se dejan de leer las demás.
    """
    marca = _SIN_NINGUNA if conexion is None else _marca(conexion)
    if marca == conocida:
        return Lectura(marca, None)
    legibles, ilegibles = [], []
    for fila in () if conexion is None else _filas(conexion):
        clave = _clave(fila)
        if clave is None:
            ilegibles.append(fila.identidad)
        else:
            legibles.append(clave)
    return Lectura(marca, legibles, ilegibles)


def _filas(conexion: Connection) -> Iterable[Row[Any]]:
    return conexion.execute(select(claves).order_by(claves.c.creada_en, claves.c.identidad))


def _marca(conexion: Connection) -> Marca:
    # Una clave solo se añade y se revoca: contarlas basta, y lo demás distingue a una copia restaurada.
    return tuple(
        conexion.execute(
            select(
                func.count(),
                func.count(claves.c.revocada_en),
                func.max(claves.c.creada_en),
                func.max(claves.c.revocada_en),
            ).select_from(claves)
        ).one()
    )


def _clave(fila: Row[Any]) -> ClaveGuardada | None:
    """La de esa fila; `None`, si no la escribió este programa y no se sabe qué deja hacer."""
    try:
        return ClaveGuardada(
            identidad=fila.identidad,
            nombre=fila.nombre,
            sal=fila.sal,
            resumen=fila.resumen,
            alcances=frozenset(map(Alcance, _de_json(fila.alcances))),
            dialecto=None if fila.dialecto is None else Dialecto(fila.dialecto),
            campañas=None if fila.campanas is None else _de_json(fila.campanas),
            prefijo=fila.prefijo,
            limite=fila.limite,
            caduca_en=fila.caduca_en,
            creada_en=fila.creada_en,
            revocada_en=fila.revocada_en,
            origenes=frozenset() if fila.origenes is None else _de_json(fila.origenes),
        )
    except (ValueError, msgspec.DecodeError):
        return None


def _en_json(textos: Collection[str]) -> str:
    return msgspec.json.encode(sorted(textos)).decode()


def _de_json(texto: str) -> frozenset[str]:
    return msgspec.json.decode(texto, type=frozenset[str])
