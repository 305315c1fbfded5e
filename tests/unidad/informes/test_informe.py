"""Lo que no cabe en un informe: cuánto se pide como mucho, y qué se dice que se pida en su lugar."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import pytest

from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import DE_INFLUENCER, pedido_de_informe
from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    Dimension,
)
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.usuarios import Usuarios

AHORA = datetime(2026, 3, 1, 12, tzinfo=UTC)


class DemasiadoLlena:
    """Una campaña con más cuentas, o más eventos en días partidos, de lo que nadie admite."""

    def __init__(self, motivo: Exception | None = None) -> None:
        self.maximos: list[int] = []
        self._motivo = motivo or DemasiadasCuentas()

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        del sujeto_id, intervalos, por
        self.maximos.append(maximo)
        raise self._motivo

    async def contar_con_usuarios(
        self, campaña_id: str, intervalos: Sequence[Intervalo], maximo: int
    ) -> tuple[list[Contada], list[Usuarios]]:
        return await self.contar(campaña_id, intervalos, (), maximo), []


async def faltas(lectura: DemasiadoLlena, **parametros: str) -> str:
    with pytest.raises(InformeImposible) as imposible:
        await hacer_informe(lectura, pedido_de_informe("cmp-456", parametros, AHORA))
    return str(imposible.value)


async def test_con_otro_periodo_al_lado_caben_el_doble_de_cuentas() -> None:
    lectura = DemasiadoLlena()
    assert "son más de 100.000 cuentas" in await faltas(lectura, por="influencer_id")
    assert "son más de 200.000 cuentas" in await faltas(
        lectura, por="influencer_id", comparar="periodo_anterior"
    )
    assert "son más de 100.000 cuentas" in await faltas(lectura, incluir="usuarios_unicos")
    assert lectura.maximos == [100_000, 200_000, 100_000]


async def test_solo_se_propone_el_total_a_quien_no_lo_pidio() -> None:
    lectura = DemasiadoLlena()
    assert "pida granularidad=total, menos dimensiones o un periodo menor" in await faltas(
        lectura, por="cupon"
    )
    en_total = await faltas(lectura, por="cupon", granularidad="total")
    assert "pida menos dimensiones o un periodo menor" in en_total


async def test_si_los_dias_partidos_tienen_demasiados_eventos_se_dice_y_que_pedir() -> None:
    lectura = DemasiadoLlena(DemasiadosSueltos(100_000))
    assert await faltas(lectura, por="cupon", zona="America/Bogota", granularidad="total") == (
        "por: son más de 100.000 eventos que mirar uno a uno, porque así solo están "
        "contados los días enteros de UTC, y caben 100.000; pida zona=UTC con días enteros o un periodo menor"
    )
    pedido = pedido_de_informe("inf-789", {"zona": "America/Bogota"}, AHORA, DE_INFLUENCER)
    with pytest.raises(InformeImposible, match=r"^desde: son más de 100\.000 eventos"):
        await hacer_informe(lectura, pedido)
