"""El llavero de un proceso: cuándo se fía de lo que leyó, y qué hace si no puede leer."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alpespartners.modulos.claves.aplicacion import llavero as modulo
from alpespartners.modulos.claves.aplicacion.llavero import (
    SEGUNDOS_DE_UNA_LECTURA,
    SEGUNDOS_DE_VIGENCIA,
    SEGUNDOS_ENTRE_LECTURAS,
    ClavesNoDisponibles,
    Lectura,
    LlaveroGuardado,
    Marca,
)
from alpespartners.modulos.claves.dominio.clave import Dialecto
from tests.apoyo.claves import AHORA, ClavesEnMemoria, una_clave
from tests.apoyo.espera import hasta_en_el_bucle


class Relojes:
    """La hora y el cronómetro, que solo avanzan si se les dice."""

    def __init__(self) -> None:
        self.segundos = 100.0

    def hora(self) -> datetime:
        return AHORA + timedelta(seconds=self.segundos - 100)

    def cronometro(self) -> float:
        return self.segundos


@pytest.fixture
def relojes() -> Relojes:
    return Relojes()


@pytest.fixture
def claves() -> ClavesEnMemoria:
    return ClavesEnMemoria()


@pytest.fixture
def llavero(claves: ClavesEnMemoria, relojes: Relojes) -> LlaveroGuardado:
    return LlaveroGuardado(claves.leer, relojes.hora, relojes.cronometro)


async def test_hasta_la_primera_lectura_no_se_sabe_nada(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria
) -> None:
    texto = claves.crear("captura")
    assert (llavero.se_conoce, llavero.al_dia, llavero.hay, llavero.abrir(texto)) == (
        False,
        False,
        False,
        None,
    )
    await llavero.ponerse_al_dia()
    abierta = llavero.abrir(texto)
    assert abierta == claves.claves[0]
    assert (llavero.se_conoce, llavero.al_dia, llavero.hay) == (True, True, True)


@pytest.mark.parametrize("cambiar", ["identidad", "secreto", "corta", "larga"])
async def test_un_texto_que_solo_se_parece_no_abre(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria, cambiar: str
) -> None:
    texto, otro = claves.crear("captura"), claves.crear("captura")
    await llavero.ponerse_al_dia()
    _, identidad, secreto = texto.split("_", 2)
    parecida = {
        "identidad": f"alpes_{identidad}_{otro.split('_', 2)[2]}",
        "secreto": f"alpes_{identidad}_{secreto[:-1]}{'A' if secreto[-1] != 'A' else 'B'}",
        "corta": texto[:-1],
        "larga": f"{texto}A",
    }[cambiar]
    assert llavero.abrir(parecida) is None


async def test_una_lectura_vale_un_tiempo_desde_que_se_pidio(
    llavero: LlaveroGuardado, relojes: Relojes
) -> None:
    await llavero.ponerse_al_dia()
    relojes.segundos += SEGUNDOS_DE_VIGENCIA - 0.001
    assert llavero.al_dia
    relojes.segundos += 0.001
    assert not llavero.al_dia
    await llavero.ponerse_al_dia()
    assert llavero.al_dia


async def test_lo_que_tarda_una_lectura_es_tiempo_que_ya_no_vale(relojes: Relojes) -> None:
    async def leer(_conocida: Marca | None) -> Lectura:
        relojes.segundos += 1.5
        return Lectura((1,), [])

    llavero = LlaveroGuardado(leer, relojes.hora, relojes.cronometro)
    await llavero.ponerse_al_dia()
    relojes.segundos += SEGUNDOS_DE_VIGENCIA - 1.5
    assert not llavero.al_dia


async def test_si_nada_cambio_no_se_leen_otra_vez(llavero: LlaveroGuardado, claves: ClavesEnMemoria) -> None:
    texto = claves.crear("captura")
    await llavero.ponerse_al_dia()
    await llavero.ponerse_al_dia()
    assert claves.lecturas == [None, (1, 0)]
    assert llavero.abrir(texto) is not None


async def test_una_revocada_deja_de_valer_en_la_siguiente_lectura(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria
) -> None:
    texto = claves.crear("captura")
    await llavero.ponerse_al_dia()
    identidad = claves.claves[0].identidad
    assert llavero.nombrada(identidad) is not None
    claves.claves[0] = replace(claves.claves[0], revocada_en=AHORA)
    await llavero.ponerse_al_dia()
    assert llavero.abrir(texto) is None
    assert llavero.nombrada(identidad) is None


async def test_una_caduca_a_su_hora_aunque_no_se_lea_nada(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria, relojes: Relojes
) -> None:
    texto = claves.crear("captura", caduca=(AHORA + timedelta(seconds=5)).isoformat())
    await llavero.ponerse_al_dia()
    claves.responde = False
    await llavero.ponerse_al_dia()
    relojes.segundos += 4.999
    assert llavero.abrir(texto) is not None
    relojes.segundos += 0.001
    assert llavero.abrir(texto) is None


async def test_sin_base_de_datos_manda_lo_ultimo_leido_sin_esperar_y_se_dice_una_vez(
    llavero: LlaveroGuardado,
    claves: ClavesEnMemoria,
    relojes: Relojes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    texto = claves.crear("captura")
    await llavero.ponerse_al_dia()
    claves.responde = False
    relojes.segundos += 10
    for _ in range(3):
        await llavero.ponerse_al_dia()
        assert llavero.al_dia
        assert llavero.abrir(texto) is not None
    claves.responde = True
    await llavero.ponerse_al_dia()
    relojes.segundos += SEGUNDOS_DE_VIGENCIA
    assert not llavero.al_dia
    assert caplog.messages == [
        "las claves no se pueden leer; mandan las últimas leídas: no está",
        "las claves se leen otra vez",
    ]


@pytest.mark.parametrize("responde", [False, True])
async def test_tras_estar_detenido_con_una_lectura_a_medias_se_espera_a_otra(
    claves: ClavesEnMemoria, relojes: Relojes, *, responde: bool
) -> None:
    texto = claves.crear("captura")
    detenido = asyncio.Event()

    async def leer(conocida: Marca | None) -> Lectura:
        lectura = await claves.leer(conocida)
        if len(claves.lecturas) == 2:
            await detenido.wait()
            if not responde:
                raise ClavesNoDisponibles("no responde")
        return lectura

    llavero = LlaveroGuardado(leer, relojes.hora, relojes.cronometro)
    await llavero.ponerse_al_dia()
    a_medias = asyncio.ensure_future(llavero.ponerse_al_dia())
    await hasta_en_el_bucle(lambda: len(claves.lecturas) == 2)
    claves.claves[0] = replace(claves.claves[0], revocada_en=AHORA)
    relojes.segundos += SEGUNDOS_DE_VIGENCIA
    detenido.set()
    await a_medias
    assert len(claves.lecturas) == 3
    assert (llavero.al_dia, llavero.abrir(texto)) == (True, None)


async def test_una_lectura_que_falla_no_vale_para_siempre(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria, relojes: Relojes
) -> None:
    claves.responde = False
    await llavero.ponerse_al_dia()
    relojes.segundos += SEGUNDOS_DE_VIGENCIA
    assert not llavero.al_dia


def test_lo_leido_cubre_a_la_siguiente_lectura_aunque_tarde_lo_que_se_la_espera() -> None:
    assert SEGUNDOS_DE_VIGENCIA >= 2 * SEGUNDOS_DE_UNA_LECTURA + SEGUNDOS_ENTRE_LECTURAS


async def test_un_fallo_imprevisto_se_dice_con_su_traza_y_se_sigue_leyendo(
    monkeypatch: pytest.MonkeyPatch,
    claves: ClavesEnMemoria,
    relojes: Relojes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(modulo, "SEGUNDOS_ENTRE_LECTURAS", 0.001)
    fallos = [RuntimeError("imprevisto")] * 2

    async def leer(conocida: Marca | None) -> Lectura:
        if claves.claves and fallos:
            raise fallos.pop()
        return await claves.leer(conocida)

    llavero = LlaveroGuardado(leer, relojes.hora, relojes.cronometro)
    async with llavero.renovandose():
        texto = claves.crear("captura")
        await hasta_en_el_bucle(lambda: llavero.abrir(texto))
    (aviso,) = [registro for registro in caplog.records if registro.exc_info]
    assert aviso.exc_info is not None
    assert isinstance(aviso.exc_info[1], RuntimeError)


async def test_una_que_no_se_entiende_se_nombra_una_vez_y_basta_para_pedir_clave(
    relojes: Relojes, caplog: pytest.LogCaptureFixture
) -> None:
    marcas = iter(range(9))

    async def leer(_conocida: Marca | None) -> Lectura:
        return Lectura((next(marcas),), [], ["k7m2xq9wfh3d"])

    llavero = LlaveroGuardado(leer, relojes.hora, relojes.cronometro)
    await llavero.ponerse_al_dia()
    await llavero.ponerse_al_dia()
    assert llavero.hay
    assert caplog.messages == ["la clave k7m2xq9wfh3d no vale: no la escribió este programa"]


async def test_a_una_base_de_datos_muda_se_la_espera_un_poco_y_una_vez(
    monkeypatch: pytest.MonkeyPatch, relojes: Relojes
) -> None:
    monkeypatch.setattr(modulo, "SEGUNDOS_DE_UNA_LECTURA", 0.01)

    async def leer(_conocida: Marca | None) -> Lectura:
        await asyncio.Event().wait()
        raise AssertionError

    llavero = LlaveroGuardado(leer, relojes.hora, relojes.cronometro)
    await llavero.ponerse_al_dia()
    assert (llavero.al_dia, llavero.se_conoce) == (True, False)


async def test_quienes_esperan_a_la_vez_esperan_a_la_misma_lectura(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria
) -> None:
    await asyncio.gather(*(llavero.ponerse_al_dia() for _ in range(20)))
    assert len(claves.lecturas) == 1


async def test_quien_deja_de_esperar_no_se_lleva_la_lectura_de_los_demas(
    llavero: LlaveroGuardado,
) -> None:
    impaciente, paciente = (asyncio.ensure_future(llavero.ponerse_al_dia()) for _ in range(2))
    await asyncio.sleep(0)
    impaciente.cancel()
    await paciente
    assert llavero.al_dia


async def test_las_que_hubo_cuentan_aunque_la_base_de_datos_aparezca_vacia(
    llavero: LlaveroGuardado, claves: ClavesEnMemoria
) -> None:
    claves.claves.append(una_clave(dialecto="segment")[0])
    await llavero.ponerse_al_dia()
    claves.claves.clear()
    await llavero.ponerse_al_dia()
    assert (llavero.hay, llavero.hay_de(Dialecto.SEGMENT)) == (True, True)
    assert (llavero.hay_de(None), llavero.hay_de(Dialecto.POSTHOG)) == (False, False)


async def test_mientras_dura_el_bloque_se_lee_una_y_otra_vez_y_despues_no(
    monkeypatch: pytest.MonkeyPatch, llavero: LlaveroGuardado, claves: ClavesEnMemoria
) -> None:
    monkeypatch.setattr(modulo, "SEGUNDOS_ENTRE_LECTURAS", 0.001)
    async with llavero.renovandose():
        assert len(claves.lecturas) == 1
        texto = claves.crear("captura")
        await hasta_en_el_bucle(lambda: llavero.abrir(texto))
    assert not [tarea for tarea in asyncio.all_tasks() if "llavero" in tarea.get_name()]
