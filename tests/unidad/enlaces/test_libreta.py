"""La libreta de enlaces de un proceso: cuándo se fía de lo que sabe, y qué hace si no puede leer."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alpespartners.modulos.enlaces.aplicacion import libreta as modulo
from alpespartners.modulos.enlaces.aplicacion.libreta import (
    SEGUNDOS_DE_VIGENCIA,
    Libreta,
    LibretaNoDisponible,
)
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from tests.apoyo.espera import hasta_en_el_bucle

JUAN = Enlace(
    enlace_id="juan",
    campaña_id="cmp-456",
    destino="https://tienda.com/",
    creado_en=datetime(2026, 11, 29, tzinfo=UTC),
)


class Base:
    """Una base de datos con enlaces, que puede fallar o no responder, y el cronómetro de quien la lee."""

    def __init__(self) -> None:
        self.enlaces = {"juan": JUAN}
        self.leidos: list[str] = []
        self.acabadas = 0
        self.falla = False
        self.responde = asyncio.Event()
        self.responde.set()
        self.segundos = 100.0

    async def leer(self, enlace_id: str) -> Enlace | None:
        self.leidos.append(enlace_id)
        await self.responde.wait()
        self.acabadas += 1
        if self.falla:
            raise LibretaNoDisponible("no hay base de datos")
        return self.enlaces.get(enlace_id)

    def cronometro(self) -> float:
        return self.segundos


@pytest.fixture
def base() -> Base:
    return Base()


@pytest.fixture
def libreta(base: Base) -> Libreta:
    return Libreta(base.leer, base.cronometro)


async def test_un_enlace_se_lee_una_vez_mientras_su_lectura_vale(base: Base, libreta: Libreta) -> None:
    assert await libreta.buscar("juan") is JUAN
    base.segundos += SEGUNDOS_DE_VIGENCIA - 0.1
    assert await libreta.buscar("juan") is JUAN
    assert base.leidos == ["juan"]


async def test_un_cambio_se_ve_cuando_la_lectura_deja_de_valer(base: Base, libreta: Libreta) -> None:
    await libreta.buscar("juan")
    base.enlaces["juan"] = replace(JUAN, destino="https://otra.com/")
    base.segundos += SEGUNDOS_DE_VIGENCIA
    assert await libreta.buscar("juan") == base.enlaces["juan"]


async def test_el_que_no_existe_se_ve_segundos_despues_de_crearlo(base: Base, libreta: Libreta) -> None:
    assert await libreta.buscar("ana") is None
    assert await libreta.buscar("ana") is None
    assert base.leidos == ["ana"]
    base.enlaces["ana"] = replace(JUAN, enlace_id="ana")
    base.segundos += SEGUNDOS_DE_VIGENCIA
    assert await libreta.buscar("ana") == base.enlaces["ana"]
    base.segundos += 0.1
    assert await libreta.buscar("ana") == base.enlaces["ana"]


async def test_si_la_base_de_datos_falla_sirve_lo_que_sabia_y_no_la_llama_en_cada_clic(
    base: Base, libreta: Libreta, caplog: pytest.LogCaptureFixture
) -> None:
    await libreta.buscar("juan")
    base.falla = True
    base.segundos += SEGUNDOS_DE_VIGENCIA
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert await libreta.buscar("juan") is JUAN
        assert base.leidos == ["juan", "juan"]
        base.falla = False
        base.segundos += SEGUNDOS_DE_VIGENCIA
        await libreta.buscar("juan")
    assert [registro.levelname for registro in caplog.records] == ["WARNING", "INFO"]


async def test_si_no_responde_sirve_lo_que_sabia_y_lo_que_llega_tarde_cuenta(
    base: Base, libreta: Libreta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo, "SEGUNDOS_SI_SE_CONOCE", 0)
    await libreta.buscar("juan")
    base.enlaces["juan"] = replace(JUAN, cupon="JUAN10")
    base.responde.clear()
    base.segundos += SEGUNDOS_DE_VIGENCIA
    assert await libreta.buscar("juan") is JUAN
    base.responde.set()
    await hasta_en_el_bucle(lambda: base.acabadas == 2)
    assert await libreta.buscar("juan") == base.enlaces["juan"]
    assert base.leidos == ["juan", "juan"]


async def test_el_que_no_conocia_no_se_da_por_inexistente_si_no_se_puede_leer(
    base: Base, libreta: Libreta, monkeypatch: pytest.MonkeyPatch
) -> None:
    await libreta.buscar("ana")
    monkeypatch.setattr(modulo, "SEGUNDOS_SI_NO", 0)
    base.segundos += SEGUNDOS_DE_VIGENCIA
    base.responde.clear()
    for enlace_id in ("juan", "ana"):
        with pytest.raises(LibretaNoDisponible):
            await libreta.buscar(enlace_id)
    base.responde.set()


async def test_quienes_preguntan_a_la_vez_esperan_a_la_misma_lectura(base: Base, libreta: Libreta) -> None:
    base.responde.clear()
    varios = [asyncio.create_task(libreta.buscar("juan")) for _ in range(5)]
    await asyncio.sleep(0)
    varios[0].cancel()
    base.responde.set()
    assert await asyncio.gather(*varios[1:]) == [JUAN] * 4
    assert base.leidos == ["juan"]


async def test_quien_inventa_enlaces_no_echa_a_los_que_existen(
    base: Base, libreta: Libreta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo, "INEXISTENTES_MAXIMOS", 2)
    await libreta.buscar("juan")
    for n in range(5):
        assert await libreta.buscar(f"inventado-{n}") is None
    await libreta.buscar("juan")
    assert base.leidos.count("juan") == 1
    await libreta.buscar("inventado-0")
    assert base.leidos.count("inventado-0") == 2


async def test_de_mas_se_olvida_el_que_hace_mas_que_no_se_pide(
    base: Base, libreta: Libreta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo, "ENLACES_MAXIMOS", 2)
    base.enlaces |= {nombre: replace(JUAN, enlace_id=nombre) for nombre in ("ana", "eva")}
    for enlace_id in ("juan", "ana", "juan", "eva", "juan", "ana"):
        await libreta.buscar(enlace_id)
    assert base.leidos == ["juan", "ana", "eva", "ana"]


async def test_si_no_responde_las_lecturas_que_la_esperan_no_crecen_sin_fin(
    base: Base, libreta: Libreta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo, "LECTURAS_MAXIMAS", 2)
    await libreta.buscar("juan")
    base.segundos += SEGUNDOS_DE_VIGENCIA
    base.responde.clear()
    esperan = [asyncio.create_task(libreta.buscar(f"inventado-{numero}")) for numero in range(2)]
    await hasta_en_el_bucle(lambda: len(base.leidos) == 3)
    with pytest.raises(LibretaNoDisponible):
        await libreta.buscar("otro")
    assert await libreta.buscar("juan") is JUAN
    assert len(base.leidos) == 3
    # Cuando responde, se vuelve a leer.
    base.responde.set()
    assert await asyncio.gather(*esperan) == [None, None]
    assert await libreta.buscar("otro") is None
