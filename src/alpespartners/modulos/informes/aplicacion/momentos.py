"""De lo que alguien escribe en `desde` o `hasta` a un instante: el que dice, o el comienzo de una fecha.

Por qué existe: quien pregunta por su mes escribe fechas, y son las de su zona.
"""

import re
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from alpespartners.modulos.informes.dominio.intervalos import (
    PRIMERO,
    TRAMO,
    SinRespuestaExacta,
    comienzo_del_dia,
    comienzo_en_utc,
)

ULTIMO: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""El instante hasta el que se puede preguntar."""

FORMA: Final = "debe ser una fecha, como 2024-01-15, o RFC 3339 con zona, como 2024-01-15T10:30:00Z"

_FECHA: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANTE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:[Zz]|[+-]\d{2}:?\d{2})", re.ASCII
)


class MomentoIlegible(Exception):
    """No es una fecha ni un instante, o no cabe; la frase dice qué se esperaba."""


def momento(texto: str, zona: ZoneInfo) -> datetime:
    """El instante, en UTC.

    Raises:
        MomentoIlegible: no es ninguna de las dos cosas, no existe o no está entre `PRIMERO` y `ULTIMO`.
        SinRespuestaExacta: cae a mitad de un tramo, o es una fecha que en esa zona no es un solo intervalo.
    """
    try:
        if _FECHA.fullmatch(texto):
            fecha = date.fromisoformat(texto)
            # Antes de situarla en su zona: junto a los bordes del calendario no se puede.
            _exigir_que_quepa(datetime(fecha.year, fecha.month, fecha.day, tzinfo=UTC))
            return comienzo_del_dia(fecha, zona)
        if _INSTANTE.fullmatch(texto):
            instante = datetime.fromisoformat(texto.upper()).astimezone(UTC)
            _exigir_que_quepa(instante)
            _exigir_que_se_cuente(instante)
            return instante
    except (ValueError, OverflowError):
        raise MomentoIlegible("no es una fecha que exista") from None
    if _INSTANTE.fullmatch("+".join(texto.rsplit(" ", 1))):
        raise MomentoIlegible(f"{FORMA} (en una URL, el + se escribe %2B)")
    raise MomentoIlegible(FORMA)


def _exigir_que_quepa(instante: datetime) -> None:
    if not PRIMERO <= instante <= ULTIMO:
        raise MomentoIlegible(f"debe estar entre {PRIMERO:%Y-%m-%d} y {ULTIMO:%Y-%m-%d}")


def _exigir_que_se_cuente(instante: datetime) -> None:
    antes = comienzo_en_utc(instante, TRAMO)
    if antes != instante:
        raise SinRespuestaExacta(
            "cae a mitad de un cuarto de hora, y se cuenta por cuartos enteros; pida "
            f"{antes:%Y-%m-%dT%H:%M:00Z} o {antes + TRAMO:%Y-%m-%dT%H:%M:00Z}"
        )
