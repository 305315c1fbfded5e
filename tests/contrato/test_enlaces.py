"""Los enlaces guardados: lo mismo en memoria y en los dos motores."""

import asyncio
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from alpespartners.modulos.enlaces.aplicacion.puertos import Enlaces, Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.infraestructura.almacen import leer, listar, secreto_guardado
from alpespartners.modulos.enlaces.infraestructura.enlaces_sql import EnlacesSQL
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from tests.apoyo.enlaces import EnlacesEnMemoria
from tests.apoyo.postgresql import ServidorDePrueba

AHORA = datetime(2026, 11, 29, 12, 0, 0, 123_456, tzinfo=UTC)
JUAN = Enlace(
    enlace_id="Juan_1-a",
    campaña_id="cmp-ñ",
    influencer_id="inf-789",
    destino="https://xn--and-6ma2c.co/a?b=%zz#c",
    cupon="JUAN10",
    parametro_clic="cid",
    dominios_permitidos=("otra.com", "*.tienda.com"),
    vence_en=AHORA + timedelta(days=1),
    creado_en=AHORA,
)
ANA = Enlace(
    enlace_id="ana", campaña_id="cmp-1", destino="https://t.co/", creado_en=AHORA + timedelta(seconds=1)
)


def una_base(motor: str, request: pytest.FixtureRequest, tmp_path: Path) -> BaseDatos:
    """Una recién migrada."""
    nueva: BaseDatos
    if motor == "sqlite":
        nueva = BaseDatosSQLite(tmp_path)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        nueva = BaseDatosPostgreSQL(servidor.base_vacia())
    nueva.migrar()
    return nueva


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> BaseDatos:
    return una_base(request.param, request, tmp_path)


def abiertos(base: BaseDatos, pila: ExitStack) -> EnlacesSQL:
    lecturas, reparaciones = base.lecturas(), base.reparaciones()
    pila.callback(lecturas.cerrar)
    pila.callback(reparaciones.cerrar)
    return EnlacesSQL(lecturas, reparaciones)


@pytest.fixture(params=["memoria", "sqlite", "postgresql"])
def enlaces(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Enlaces]:
    with ExitStack() as pila:
        if request.param == "memoria":
            yield EnlacesEnMemoria()
        else:
            yield abiertos(una_base(request.param, request, tmp_path), pila)


async def test_lo_que_se_guarda_vuelve_igual(enlaces: Enlaces) -> None:
    for enlace in (JUAN, ANA):
        assert await enlaces.agregar(enlace) == (enlace, True)
        assert await enlaces.leer(enlace.enlace_id) == enlace
    assert await enlaces.leer("juan_1-a") is None


@pytest.mark.parametrize("nombre", ["a\x00b", "\udcff", "año", ""])
async def test_lo_que_no_puede_ser_un_nombre_no_es_el_de_ninguno(enlaces: Enlaces, nombre: str) -> None:
    assert await enlaces.leer(nombre) is None
    assert await enlaces.cambiar(nombre, lambda enlace: enlace) is None


async def test_el_que_se_llama_como_otro_no_lo_cambia(enlaces: Enlaces) -> None:
    await enlaces.agregar(JUAN)
    assert await enlaces.agregar(replace(ANA, enlace_id=JUAN.enlace_id)) == (JUAN, False)
    assert await enlaces.leer(JUAN.enlace_id) == JUAN


async def test_se_cambia_el_que_hay_y_solo_el(enlaces: Enlaces) -> None:
    await enlaces.agregar(JUAN)
    await enlaces.agregar(ANA)
    cambiado = replace(JUAN, destino="https://otra.com/", cupon=None, dominios_permitidos=(), vence_en=None)
    assert await enlaces.cambiar(JUAN.enlace_id, lambda _: cambiado) == cambiado
    assert await enlaces.leer(JUAN.enlace_id) == cambiado
    assert await enlaces.leer("ana") == ANA
    assert await enlaces.cambiar("eva", lambda enlace: enlace) is None


async def test_lo_que_falla_al_cambiar_no_cambia_nada(enlaces: Enlaces) -> None:
    await enlaces.agregar(JUAN)

    def falla(_enlace: Enlace) -> Enlace:
        raise ValueError("no vale")

    with pytest.raises(ValueError, match="no vale"):
        await enlaces.cambiar(JUAN.enlace_id, falla)
    assert await enlaces.leer(JUAN.enlace_id) == JUAN


async def test_dos_que_cambian_a_la_vez_no_se_pisan(enlaces: Enlaces) -> None:
    await enlaces.agregar(replace(JUAN, cupon=""))
    await asyncio.gather(
        *(
            enlaces.cambiar(JUAN.enlace_id, lambda enlace: replace(enlace, cupon=f"{enlace.cupon}x"))
            for _ in range(5)
        )
    )
    hallado = await enlaces.leer(JUAN.enlace_id)
    assert hallado is not None
    assert hallado.cupon == "xxxxx"


async def test_la_lista_va_del_ultimo_al_primero_por_paginas_y_con_filtros(enlaces: Enlaces) -> None:
    todos = [
        replace(
            ANA,
            enlace_id=f"e{n}",
            campaña_id=f"cmp-{n % 2}",
            influencer_id=f"inf-{n % 3}" if n % 3 else None,
            creado_en=AHORA + timedelta(microseconds=n // 2),
        )
        for n in range(8)
    ]
    for enlace in todos:
        await enlaces.agregar(enlace)
    en_orden = todos[::-1]
    assert list(await enlaces.listar(Filtro(), None, 100)) == en_orden
    vistos: list[Enlace] = []
    lugar = None
    while pagina := await enlaces.listar(Filtro(), lugar, 3):
        vistos += pagina
        lugar = Lugar(pagina[-1].creado_en, pagina[-1].enlace_id)
    assert vistos == en_orden
    for filtro in (
        Filtro(campaña_id="cmp-1"),
        Filtro(influencer_id="inf-2"),
        Filtro(campaña_id="cmp-0", influencer_id="inf-1"),
        Filtro(campaña_id="cmp-9"),
    ):
        assert list(await enlaces.listar(filtro, None, 100)) == [
            enlace
            for enlace in en_orden
            if filtro.campaña_id in (None, enlace.campaña_id)
            and filtro.influencer_id in (None, enlace.influencer_id)
        ]


async def test_dos_procesos_que_crean_el_mismo_a_la_vez_crean_uno(base: BaseDatos) -> None:
    with ExitStack() as pila:
        procesos = [abiertos(base, pila) for _ in range(4)]
        creados = await asyncio.gather(
            *(enlaces.agregar(replace(JUAN, cupon=str(n))) for n, enlaces in enumerate(procesos))
        )
    assert [es_nuevo for _, es_nuevo in creados].count(True) == 1
    assert len({enlace.cupon for enlace, _ in creados}) == 1


def test_migrar_deja_un_secreto_al_azar_y_volver_a_migrar_no_lo_cambia(
    base: BaseDatos, tmp_path: Path
) -> None:
    def secreto(suya: BaseDatos) -> bytes | None:
        reparaciones = suya.reparaciones()
        try:
            return reparaciones.leer_libro(secreto_guardado)
        finally:
            reparaciones.cerrar()

    suyo = secreto(base)
    assert suyo is not None
    assert len(suyo) == 32
    base.migrar()
    assert secreto(base) == suyo
    otra = BaseDatosSQLite(tmp_path / "otra")
    otra.migrar()
    assert secreto(otra) != suyo


def test_sin_secreto_guardado_se_sabe(base: BaseDatos) -> None:
    def borrar(conexion: Connection) -> bytes | None:
        conexion.execute(text("DELETE FROM secretos_de_enlaces"))
        return secreto_guardado(conexion)

    reparaciones = base.reparaciones()
    try:
        assert reparaciones.escribir(borrar) is None
    finally:
        reparaciones.cerrar()


def test_antes_de_que_haya_tablas_no_hay_nada() -> None:
    assert leer(None, "juan") is None
    assert listar(None, Filtro(), None, 10) == []
    assert secreto_guardado(None) is None
