"""La hora del consumidor no decide nada: la de un evento se juzga con la que anotó la API."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import TransaccionSQL
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido

_UN_DIA = timedelta(days=1)
_MICROSEGUNDO = timedelta(microseconds=1)
_EL_PRIMERO = datetime(2000, 1, 1, tzinfo=UTC)
_TIMESTAMPS = [
    None,
    _EL_PRIMERO - _MICROSEGUNDO,
    _EL_PRIMERO,
    AHORA - _UN_DIA,
    AHORA,
    AHORA + _MICROSEGUNDO,
    AHORA + _UN_DIA,
    AHORA + _UN_DIA + _MICROSEGUNDO,
    AHORA + 2 * _UN_DIA,
]
_RECIBIDOS = [
    None,
    AHORA - _UN_DIA - _MICROSEGUNDO,
    AHORA - _UN_DIA,
    AHORA + _UN_DIA,
    AHORA + _UN_DIA + _MICROSEGUNDO,
]


def _lote(comando: Any) -> list[ComandoRecibido]:
    """Un comando por cada hora cercana a un límite: la del evento y la de su recepción."""
    cambios: list[dict[str, Any]] = [{"timestamp": instante} for instante in _TIMESTAMPS]
    cambios += [{"recibido_en": instante, "timestamp": None} for instante in _RECIBIDOS]
    return [recibido(replace(comando, id=f"e-{n}", **cambio), f"c-{n}") for n, cambio in enumerate(cambios)]


def _veredictos(datos: Path, clase: Clase, lote: Sequence[ComandoRecibido], hora: datetime) -> Any:
    """Lo que se decide de cada comando, y lo que queda escrito, menos la hora en que se escribió."""

    def trabajo(transaccion: TransaccionSQL) -> Any:
        destinos, _ = ManejadorDeRegistro(clase).manejar(lote, transaccion, hora)
        guardadas = transaccion.eventos(clase).obtener({str(mensaje.comando.id) for mensaje in lote})
        assert {entidad.registrado_en for entidad in guardadas.values()} == {hora}
        return (
            {asiento.identidad: (asiento.destino, asiento.recibido_en) for asiento in destinos},
            {id_evento: replace(entidad, registrado_en=AHORA) for id_evento, entidad in guardadas.items()},
        )

    libro = LibroSQLite(datos)
    libro.abrir()
    try:
        return asyncio.run(libro.ejecutar(trabajo))
    finally:
        libro.cerrar()


@pytest.mark.parametrize(
    ("clase", "comando"),
    [
        (clases.IMPRESIONES, IMPRESION),
        (clases.CONVERSIONES, CONVERSION),
    ],
)
def test_un_consumidor_con_la_hora_cambiada_un_dia_juzga_igual(
    tmp_path: Path, clase: Clase, comando: Any
) -> None:
    lote = _lote(comando)
    en_hora = _veredictos(tmp_path / "en-hora", clase, lote, AHORA)
    destinos, guardadas = en_hora
    assert len(destinos) == len(lote)
    creibles = [guardada.contenido.timestamp is not None for guardada in guardadas.values()]
    assert 0 < sum(creibles) < len(creibles)
    for nombre, desfase in (("atrasado", -_UN_DIA), ("adelantado", _UN_DIA)):
        assert _veredictos(tmp_path / nombre, clase, lote, AHORA + desfase) == en_hora
