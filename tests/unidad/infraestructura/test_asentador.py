"""Asentar un lote: qué se confirma y cuándo, falle la base de datos o estorbe un mensaje."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.consumo_falso import RITMO, Consumo
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.pulsar_falso import mensaje


@pytest.fixture
def prueba() -> Consumo:
    return Consumo()


async def test_un_lote_es_una_transaccion_y_se_confirma_despues_de_su_commit(prueba: Consumo) -> None:
    antes: list[list[str]] = []
    prueba.libro.antes_del_commit = lambda: antes.append(list(prueba.suscripcion.confirmados))
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b", "c"]]
    assert antes == [[]]
    assert prueba.relevo.entregados == ["a", "b", "c"]
    assert prueba.relevo.cerrado_en is not None


async def test_al_confirmar_un_lote_sus_envios_ya_estan_en_manos_del_relevo(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmar = prueba.suscripcion.confirmar
    al_confirmar: list[list[str]] = []

    def confirmar_mirando(mensajes: Sequence[MensajeRecibido]) -> None:
        al_confirmar.append(list(prueba.relevo.entregados))
        confirmar(mensajes)

    monkeypatch.setattr(prueba.suscripcion, "confirmar", confirmar_mirando)
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b")
    assert al_confirmar == [["a", "b"]]


async def test_si_la_base_de_datos_no_responde_no_se_confirma_nada_y_el_lote_se_repite(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    prueba.libro.fallos = 3
    confirmados_en_cada_intento: list[list[str]] = []
    ejecutar = prueba.libro.ejecutar

    async def ejecutar_anotando(trabajo: Any) -> Any:
        confirmados_en_cada_intento.append(list(prueba.suscripcion.confirmados))
        return await ejecutar(trabajo)

    monkeypatch.setattr(prueba.libro, "ejecutar", ejecutar_anotando)
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b")
        assert confirmados_en_cada_intento == [[], [], [], []]
        prueba.llegan("c")
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]
    assert prueba.suscripcion.devueltos == []


async def test_un_mensaje_que_hace_fallar_su_transaccion_se_devuelve_y_sus_vecinos_siguen_sin_esperar(
    prueba: Consumo,
) -> None:
    prueba.ritmo = replace(RITMO, pausas=Pausas(minima=600.0, maxima=600.0))
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "d", "e")
        await hasta_en_el_bucle(lambda: prueba.suscripcion.devueltos == ["c"])

        # Vuelve antes de su pausa: ni se intenta ni hace repetir a nadie.
        asentados, intentos = len(prueba.libro.asentados), prueba.manejador.intentos["c"]
        prueba.llegan("f", "c", "g")
        await prueba.confirmados("a", "b", "d", "e", "f", "g")
        # En un lote o en dos: los recibe mientras llegan.
        assert [uno for lote in prueba.libro.asentados[asentados:] for uno in lote] == ["f", "g"]
        await hasta_en_el_bucle(lambda: prueba.suscripcion.devueltos == ["c", "c"])
        assert prueba.manejador.intentos["c"] == intentos


async def test_un_mensaje_que_falla_y_despues_no_se_asienta_como_los_demas(prueba: Consumo) -> None:
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("c")
    async with prueba.consumiendo():
        await prueba.devuelto("c", veces=1)
        prueba.manejador.imposibles = set()
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.libro.asentados == [["c"]]
    assert prueba.manejador.ilegibles == {}


async def test_al_quinto_fallo_un_mensaje_acaba_ilegible_en_su_propia_transaccion(prueba: Consumo) -> None:
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("c")
    async with prueba.consumiendo():
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.manejador.intentos["c"] == 5 + 1  # cinco fallos y su destino
    assert prueba.manejador.ilegibles == {"c": "el programa falló 5 veces al asentarlo: ZeroDivisionError"}
    assert prueba.libro.asentados == [["c"]]


async def test_lo_que_la_base_de_datos_no_admite_se_rechaza_aparte_y_se_confirma(prueba: Consumo) -> None:
    prueba.manejador.inadmisibles = {"b", "e"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c", "d", "e")
    assert prueba.manejador.rechazados == ["b", "e"]
    assert [lote for lote in prueba.libro.asentados if {"b", "e"} & {*lote}] == [["b"], ["e"]]
    assert prueba.suscripcion.devueltos == []


async def test_lo_que_la_base_de_datos_no_admitia_se_juzga_otra_vez_si_falta_antes_de_rechazarlo(
    prueba: Consumo,
) -> None:
    prueba.manejador.inadmisibles = {"a"}
    prueba.manejador.fallo_al_rechazar = BaseDatosNoDisponible("es de otra versión")
    prueba.llegan("a")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.manejador.intentos["a"] > 1)
        prueba.manejador.inadmisibles = set()
        await prueba.confirmados("a")
    assert prueba.libro.asentados[-1] == ["a"]
    assert prueba.manejador.rechazados == []


@pytest.mark.parametrize("fallo", [ZeroDivisionError(), DatosRechazados("IntegrityError")], ids=repr)
async def test_si_ni_el_rechazo_se_puede_anotar_acaba_ilegible(prueba: Consumo, fallo: Exception) -> None:
    prueba.manejador.inadmisibles = {"b"}
    prueba.manejador.fallo_al_rechazar = fallo
    prueba.llegan("b")
    async with prueba.consumiendo():
        await prueba.vuelve_hasta_confirmarse("b")
    assert prueba.manejador.ilegibles.keys() == {"b"}


async def test_si_ni_como_ilegible_se_puede_asentar_sigue_volviendo_al_broker(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    intentos: list[object] = []
    entregas = 1

    def manejar(lote: Sequence[Any], *_resto: Any) -> LoteAsentado:
        intentos.extend(lote)
        raise ZeroDivisionError

    def ilegible_dos_veces() -> bool:
        nonlocal entregas
        if prueba.suscripcion.devueltos.count("c") == entregas:
            entregas += 1
            prueba.llegan("c")
        return sum(isinstance(uno, MensajeIlegible) for uno in intentos) >= 2

    monkeypatch.setattr(prueba.manejador, "manejar", manejar)
    prueba.llegan("c")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(ilegible_dos_veces)
        await prueba.devuelto("c", veces=entregas)
    assert prueba.suscripcion.confirmados == []


async def test_si_la_base_de_datos_no_responde_no_cuenta_como_fallo_de_nadie(prueba: Consumo) -> None:
    prueba.libro.fallos = 12
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a")
    assert prueba.manejador.ilegibles == {}
    assert prueba.suscripcion.devueltos == []


async def test_lo_que_otro_retiene_en_la_base_de_datos_no_detiene_a_sus_vecinos_ni_cuenta_como_fallo_suyo(
    prueba: Consumo,
) -> None:
    prueba.manejador.retenidos = {"c"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "d", "e")
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.manejador.ilegibles == {}
    assert prueba.contadas.get_sample_value("alpes_base_datos_fallos_total")


async def test_si_no_se_puede_confirmar_el_bucle_sigue(prueba: Consumo) -> None:
    prueba.suscripcion.no_confirma = True
    prueba.llegan("a")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.libro.asentados == [["a"]])
        prueba.suscripcion.no_confirma = False
        prueba.llegan("b")
        await prueba.confirmados("b")


async def test_lo_que_se_dice_de_un_solo_mensaje_lleva_su_traza_y_solo_si_es_una(prueba: Consumo) -> None:
    traza = "0af7651916cd43dd8448eb211c80319c"
    prueba.manejador.imposibles = {"a", "b"}
    for id_evento, propia in (("a", f"00-{traza}-b7ad6b7169203331-01"), ("b", "Juan Pérez")):
        entero = mensaje(replace(IMPRESION, id=id_evento), id_evento)
        prueba.suscripcion.mensajes.append(
            entero._replace(propiedades=entero.propiedades | {"traceparent": propia})
        )
    with capture_logs() as anotado:
        async with prueba.consumiendo():
            await hasta_en_el_bucle(lambda: sorted(prueba.suscripcion.devueltos) == ["a", "b"])
    dichas = [linea["traza"] for linea in anotado if linea["event"] == "un mensaje no se pudo asentar"]
    assert dichas == [traza, None]
