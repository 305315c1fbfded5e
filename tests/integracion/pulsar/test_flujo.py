"""Del despachador al tópico de eventos, sobre cada broker y SQLite: ni pierde ni repite."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import pulsar
import pytest

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.libro.tablas import (
    conversiones,
    destinos,
    impresiones,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import Suscripcion
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import CONVERSION, IMPRESION
from tests.apoyo.puesta import Puesta

IMPRESIONES: list[Comando] = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(500)]
CONVERSIONES: list[Comando] = [replace(CONVERSION, id=f"conv-{numero}") for numero in range(500)]


async def publicar_todos(despachador: DespachadorPulsar, comandos: list[Comando]) -> None:
    """Publica cada comando e insiste, con la misma identidad, hasta que el broker lo confirme."""

    async def publicar(comando: Comando) -> None:
        while True:
            try:
                await despachador.publicar(comando, comando_id=f"c-{comando.id}", traza=None)
            except BrokerNoDisponible:
                continue
            return

    await asyncio.gather(*(publicar(comando) for comando in comandos))


class Cuentas(NamedTuple):
    """Lo que hay; es falso mientras no sea lo que se espera, y si no llega a serlo la prueba lo dice."""

    impresiones: int
    conversiones: int
    por_publicar: int
    esperadas: tuple[int, int]

    def __bool__(self) -> bool:
        return self[:3] == (*self.esperadas, 0)


async def todo_publicado(puesta: Puesta, cuantas_impresiones: int, cuantas_conversiones: int) -> None:
    """Espera a que el libro tenga esas filas y la bandeja de salida haya quedado vacía."""
    esperadas = (cuantas_impresiones, cuantas_conversiones)
    await hasta_en_el_bucle(
        lambda: Cuentas(
            puesta.contar(impresiones), puesta.contar(conversiones), puesta.por_publicar(), esperadas
        ),
        segundos=60,
    )


def ids_publicados(puesta: Puesta, topico: str) -> Counter[str]:
    """Cuántas veces está en el tópico el evento de cada `id`; su `ce_id` tiene que ser siempre el mismo."""
    mensajes = puesta.broker.leer(topico)
    ce_ids = {(m.properties()["ce_subject"], m.properties()["ce_id"]) for m in mensajes}
    ids = Counter(mensaje.properties()["ce_subject"] for mensaje in mensajes)
    assert len(ce_ids) == len(ids)
    return ids


async def test_mil_comandos_son_mil_filas_y_mil_eventos(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    async with puesta.consumiendo(), puesta.despachando() as despachador:
        await publicar_todos(despachador, IMPRESIONES + CONVERSIONES)
        await todo_publicado(puesta, 500, 500)

    assert ids_publicados(puesta, EVENTO_IMPRESION_REGISTRADA) == {c.id: 1 for c in IMPRESIONES}
    assert ids_publicados(puesta, EVENTO_CONVERSION_REGISTRADA) == {c.id: 1 for c in CONVERSIONES}
    assert puesta.contar(destinos) == 0


async def test_lo_publicado_antes_de_que_nadie_consumiera_se_consume_despues(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    async with puesta.despachando() as despachador:
        await publicar_todos(despachador, IMPRESIONES[:50])
    async with puesta.consumiendo():
        await todo_publicado(puesta, 50, 0)


async def test_si_el_broker_muere_a_media_carga_y_vuelve_nada_se_pierde_ni_cuenta_dos_veces(
    puesta: Puesta,
) -> None:
    puesta.broker.arrancar()
    async with puesta.consumiendo(), puesta.despachando(limite=2.0) as despachador:
        await publicar_todos(despachador, IMPRESIONES[:250])
        carga = asyncio.create_task(publicar_todos(despachador, IMPRESIONES[250:] + CONVERSIONES))
        await hasta_en_el_bucle(lambda: puesta.contar(impresiones) > 100)
        puesta.broker.matar()
        await hasta_en_el_bucle(lambda: not despachador.disponible)
        puesta.broker.arrancar()
        await carga
        await todo_publicado(puesta, 500, 500)

    assert ids_publicados(puesta, EVENTO_IMPRESION_REGISTRADA).keys() == {c.id for c in IMPRESIONES}
    assert ids_publicados(puesta, EVENTO_CONVERSION_REGISTRADA).keys() == {c.id for c in CONVERSIONES}


async def test_una_muerte_entre_el_commit_y_la_confirmacion_no_cambia_nada(
    puesta: Puesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_confirma(*_: Any) -> None:
        """Como si el proceso hubiera muerto justo antes."""

    puesta.broker.arrancar()
    async with puesta.despachando() as despachador:
        await publicar_todos(despachador, IMPRESIONES[:100])
    with monkeypatch.context() as sin_confirmar:
        sin_confirmar.setattr(Suscripcion, "confirmar", no_confirma)
        async with puesta.consumiendo():
            await todo_publicado(puesta, 100, 0)
    assert puesta.contar(destinos) == 0

    reentregados: list[str] = []
    confirmar = Suscripcion.confirmar

    def confirma(suscripcion: Suscripcion, mensajes: Any) -> None:
        reentregados.extend(mensaje.clave for mensaje in mensajes)
        confirmar(suscripcion, mensajes)

    monkeypatch.setattr(Suscripcion, "confirmar", confirma)
    async with puesta.consumiendo():
        await hasta_en_el_bucle(lambda: len(set(reentregados)) == 100)
    assert puesta.contar(impresiones) == 100
    assert puesta.contar(destinos) == 0
    assert puesta.por_publicar() == 0
    assert ids_publicados(puesta, EVENTO_IMPRESION_REGISTRADA) == {c.id: 1 for c in IMPRESIONES[:100]}


async def test_un_mensaje_ilegible_llega_a_las_cartas_muertas_y_no_estorba_a_sus_vecinos(
    puesta: Puesta,
) -> None:
    puesta.broker.arrancar()
    ajeno = pulsar.Client(puesta.broker.url)
    productor = ajeno.create_producer(f"{puesta.broker.espacio}/{COMANDO_REGISTRAR_IMPRESION}")
    productor.send(b"no es Avro", properties={"ce_id": "c-ajeno", "otra": "cosa"}, partition_key="imp-mala")
    productor.send(None, properties={"ce_id": "c-sin-valor"})
    ajeno.close()
    async with puesta.despachando() as despachador:
        await publicar_todos(despachador, IMPRESIONES[:10])
    async with puesta.consumiendo():
        await todo_publicado(puesta, 10, 0)

    cartas = {
        carta.properties()["ce_id"]: carta
        for carta in puesta.broker.leer(COMANDO_REGISTRAR_IMPRESION + SUFIJO_CARTAS)
    }
    assert cartas.keys() == {"c-ajeno", "c-sin-valor"}
    assert cartas["c-ajeno"].data() == b"no es Avro"
    assert cartas["c-ajeno"].properties()["otra"] == "cosa"
    assert cartas["c-ajeno"].properties()["alpes_clave"] == "imp-mala"
    assert cartas["c-ajeno"].properties()["alpes_detalle"]
    assert cartas["c-sin-valor"].data() == b""
    assert puesta.contar(destinos) == 2


async def test_un_mensaje_tan_grande_como_admite_el_broker_tambien_tiene_su_carta(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    enorme = b"x" * 5_200_000
    ajeno = pulsar.Client(puesta.broker.url)
    ajeno.create_producer(f"{puesta.broker.espacio}/{COMANDO_REGISTRAR_CONVERSION}").send(enorme)
    ajeno.close()
    async with puesta.consumiendo():
        await hasta_en_el_bucle(lambda: puesta.contar(destinos) == 1)
        await todo_publicado(puesta, 0, 0)

    (carta,) = puesta.broker.leer(COMANDO_REGISTRAR_CONVERSION + SUFIJO_CARTAS)
    assert enorme.startswith(carta.data())
    assert "5200000" in carta.properties()["alpes_recortada"]


async def test_sin_broker_al_arrancar_lo_dice_y_se_recupera_solo(puesta: Puesta) -> None:
    async with puesta.consumiendo(), puesta.despachando(limite=0.3) as despachador:
        assert not despachador.disponible
        with pytest.raises(BrokerNoDisponible):
            await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)

        puesta.broker.arrancar()
        await hasta_en_el_bucle(lambda: despachador.disponible, segundos=60)
        await publicar_todos(despachador, IMPRESIONES[:5])
        await todo_publicado(puesta, 5, 0)


async def test_al_cerrar_el_despachador_lo_que_estaba_en_curso_se_confirma(puesta: Puesta) -> None:
    puesta.broker.arrancar()
    async with puesta.despachando() as despachador:
        await hasta_en_el_bucle(lambda: despachador.disponible, segundos=60)
        envios = [
            asyncio.create_task(despachador.publicar(comando, comando_id=f"c-{comando.id}", traza=None))
            for comando in IMPRESIONES
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*envios)
    assert len(puesta.broker.leer(COMANDO_REGISTRAR_IMPRESION)) == 500


async def test_un_despachador_cerrado_no_acepta_nada(puesta: Puesta) -> None:
    async with puesta.despachando() as despachador:
        pass
    assert not despachador.disponible
    with pytest.raises(BrokerNoDisponible):
        await despachador.publicar(IMPRESION, comando_id="c-1", traza=None)


async def test_sin_broker_tambien_se_para_enseguida(puesta: Puesta) -> None:
    async with puesta.consumiendo(), puesta.despachando():
        inicio = time.monotonic()
    assert time.monotonic() - inicio < 8
