"""Recoger y abrir un lote: cuáles van juntos, cuántos caben y qué pasa con el que no se puede abrir."""

import threading
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    LoteAsentado,
)
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from tests.apoyo.consumo import EPOCA
from tests.apoyo.consumo_falso import RITMO, Consumo
from tests.apoyo.espera import hasta


def muere_con(archivo: BytesIO, maximo: int, mensajes: list[str], *, veces: int = 1) -> None:
    """Deja el archivo como lo dejan procesos que mueren con esos mensajes en mano."""
    for _ in range(veces):
        archivo.seek(0)
        EnMano(archivo, maximo).trabajando(mensajes).__enter__()
    archivo.seek(0)


@pytest.fixture
def prueba() -> Consumo:
    return Consumo()


async def test_lo_que_llega_mientras_se_asienta_un_lote_va_junto_en_el_siguiente(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    recibir = prueba.suscripcion.recibir
    esperas: list[int] = []
    se_adelanta = threading.Event()

    def recibir_apuntando(espera_ms: int) -> MensajeRecibido | None:
        esperas.append(espera_ms)
        if espera_ms and len(esperas) > del_primero and not prueba.libro.asentados:
            se_adelanta.set()
        return recibir(espera_ms)

    def llegan_dos() -> None:
        if not prueba.libro.asentados:
            hasta(lambda: len(esperas) > del_primero)
            assert not se_adelanta.wait(0.05)
            prueba.llegan("b", "c")

    del_primero = 3
    prueba.ritmo = replace(RITMO, entre_lotes=0.0)
    monkeypatch.setattr(prueba.suscripcion, "recibir", recibir_apuntando)
    prueba.libro.antes_del_commit = llegan_dos
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert not se_adelanta.is_set()
    assert prueba.libro.asentados == [["a"], ["b", "c"]]


async def test_un_lote_no_pasa_de_su_maximo(prueba: Consumo) -> None:
    prueba.ritmo = replace(RITMO, maximo_lote=2)
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]


async def test_un_lote_no_pasa_de_su_maximo_de_octetos(prueba: Consumo) -> None:
    prueba.llegan("a", "b", "c")
    de_uno = len(prueba.suscripcion.mensajes[0].carga or b"")
    prueba.ritmo = replace(RITMO, maximo_octetos=de_uno + 1)
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]


async def test_un_mensaje_sin_valor_acaba_ilegible_y_sus_vecinos_siguen(prueba: Consumo) -> None:
    prueba.llegan("a", "b", "c", "d")
    for lugar in (0, 2):
        prueba.suscripcion.mensajes[lugar] = prueba.suscripcion.mensajes[lugar]._replace(carga=None)
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c", "d")
    assert prueba.manejador.ilegibles == dict.fromkeys("ac", "el mensaje no tiene valor")


async def test_un_fallo_del_programa_al_abrir_un_mensaje_lo_deja_ilegible_y_sus_vecinos_siguen(
    prueba: Consumo,
) -> None:
    def abrir(topico: str, *, posicion: str, **resto: Any) -> Any:
        if posicion == "b":
            raise ZeroDivisionError
        return abrir_comando(topico, posicion=posicion, **resto)

    prueba.abrir = abrir
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.manejador.ilegibles == {"b": "el programa falló al abrirlo: ZeroDivisionError"}


async def test_un_mensaje_esta_en_mano_al_abrirlo_y_al_asentarlo_y_despues_ya_no(
    prueba: Consumo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def si_muriera_aqui() -> int:
        return EnMano(BytesIO(prueba.archivo.getvalue()), prueba.ritmo.maximo_lote).limite

    def abrir(topico: str, **resto: Any) -> Any:
        limites.append(si_muriera_aqui())
        return abrir_comando(topico, **resto)

    def manejar(*argumentos: Any) -> LoteAsentado:
        limites.append(si_muriera_aqui())
        return asentar(*argumentos)

    limites: list[int] = []
    asentar = prueba.manejador.manejar
    prueba.abrir = abrir
    monkeypatch.setattr(prueba.manejador, "manejar", manejar)
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b")
    assert limites == [1, 1, 1]
    assert si_muriera_aqui() == prueba.ritmo.maximo_lote


async def test_lo_que_mato_tres_veces_al_proceso_se_da_por_ilegible_sin_abrirlo(prueba: Consumo) -> None:
    abiertos: list[str] = []

    def abrir(topico: str, *, posicion: str, **resto: Any) -> Any:
        abiertos.append(posicion)
        return abrir_comando(topico, posicion=posicion, **resto)

    prueba.abrir = abrir
    muere_con(prueba.archivo, prueba.ritmo.maximo_lote, [f"{COMANDO_REGISTRAR_IMPRESION} {EPOCA} b"], veces=3)
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert abiertos == ["a", "c"]
    assert prueba.manejador.ilegibles == {"b": "hizo morir 3 veces al consumidor"}
    # Su muerte ya está explicada: no queda de qué cuidarse ni a quién condenar.
    prueba.archivo.seek(0)
    assert not EnMano(prueba.archivo, prueba.ritmo.maximo_lote).mata(
        f"{COMANDO_REGISTRAR_IMPRESION} {EPOCA} b"
    )


async def test_con_cautela_se_va_de_lote_en_lote_y_el_lote_vuelve_a_crecer(prueba: Consumo) -> None:
    prueba.ritmo = replace(RITMO, maximo_lote=8)
    muere_con(prueba.archivo, prueba.ritmo.maximo_lote, list("12345678"))
    prueba.llegan(*map(str, range(40)))
    async with prueba.consumiendo():
        await prueba.confirmados(*map(str, range(40)))
    assert [len(lote) for lote in prueba.libro.asentados] == [4, 4, 8, 8, 8, 8]
