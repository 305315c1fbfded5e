"""Los enlaces en SQL desde un proceso que atiende lo demás: no poder escribir no lo termina."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.infraestructura.enlaces_sql import EnlacesSQL
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")


class _ConElConsumidorEnMarcha:
    """Un SQLite que no admite dos que escriben."""

    async def en_transaccion(self, trabajo: Callable[[Connection | None], T]) -> T:
        return trabajo(None)

    def escribir(self, _trabajo: Callable[[Connection], T]) -> T:
        raise ErrorDeArranque("Detenga los consumidores.")


async def test_lo_que_termina_una_orden_no_termina_al_servicio() -> None:
    base = _ConElConsumidorEnMarcha()
    enlaces = EnlacesSQL(base, base)
    juan = Enlace(
        enlace_id="juan",
        campaña_id="cmp-1",
        destino="https://tienda.com/",
        creado_en=datetime(2026, 11, 29, tzinfo=UTC),
    )
    with pytest.raises(BaseDatosNoDisponible, match="Detenga los consumidores"):
        await enlaces.agregar(juan)
    assert await enlaces.leer("juan") is None
