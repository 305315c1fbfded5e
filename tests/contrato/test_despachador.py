"""El contrato del despachador de comandos: lo cumple todo adaptador, en memoria o sobre un broker."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible, DespachadorComandos
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from tests.apoyo.broker import Broker, broker_de_prueba
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION
from tests.apoyo.memoria import PuertosEnMemoria
from tests.apoyo.metricas import metricas_de_publicacion
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache

TRAZA = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Publicado = tuple[Comando, str, str | None]


@dataclass
class Despacho:
    """Un adaptador bajo prueba: el despachador, lo que de verdad se publicó y cómo quitarle el broker."""

    despachador: DespachadorComandos
    publicados: Callable[[], list[Publicado]]
    quitar_broker: Callable[[], None]


class ContratoDespachador:
    """Lo que cumple todo adaptador de `DespachadorComandos`."""

    async def test_cuando_vuelve_el_comando_ya_esta_publicado_entero(self, despacho: Despacho) -> None:
        comando = replace(IMPRESION, id="ñandú 1/2", propiedades={"color": "añil"})
        await despacho.despachador.publicar(comando, comando_id="c-1", traza=TRAZA)
        assert despacho.publicados() == [(comando, "c-1", TRAZA)]

    async def test_publica_impresiones_y_conversiones(self, despacho: Despacho) -> None:
        await despacho.despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        await despacho.despachador.publicar(CONVERSION, comando_id="c-2", traza=None)
        assert despacho.publicados() == [(IMPRESION, "c-1", None), (CONVERSION, "c-2", None)]

    async def test_lo_que_se_publica_enseguida_esta_publicado_cuando_se_dice(
        self, despacho: Despacho
    ) -> None:
        await hasta_en_el_bucle(lambda: despacho.despachador.disponible, segundos=60)
        sabido: list[bool] = []
        despacho.despachador.publicar_enseguida(IMPRESION, sabido.append, comando_id="c-1", traza=TRAZA)
        await hasta_en_el_bucle(lambda: bool(sabido), segundos=60)
        assert sabido == [True]
        assert despacho.publicados() == [(IMPRESION, "c-1", TRAZA)]

    async def test_muchos_a_la_vez_se_publican_todos(self, despacho: Despacho) -> None:
        comandos = [replace(IMPRESION, id=f"imp-{numero}") for numero in range(1_500)]
        await asyncio.gather(
            *(
                despacho.despachador.publicar(comando, comando_id=f"c-{numero}", traza=None)
                for numero, comando in enumerate(comandos)
            )
        )
        publicados = {comando_id for _, comando_id, _ in despacho.publicados()}
        assert publicados == {f"c-{numero}" for numero in range(1_500)}

    async def test_de_varios_dice_en_su_orden_que_todos_quedaron_publicados(self, despacho: Despacho) -> None:
        comandos = [
            (replace(IMPRESION if numero % 2 else CONVERSION, id=f"ev-{numero}"), f"c-{numero}")
            for numero in range(1_500)
        ]
        assert await despacho.despachador.publicar_varios(comandos, traza=TRAZA) == [None] * 1_500
        # Entre los de un lote no hay orden que guardar.
        publicados = sorted(despacho.publicados(), key=lambda publicado: publicado[1])
        assert publicados == sorted(((*comando, TRAZA) for comando in comandos), key=lambda suyo: suyo[1])

    async def test_sabe_hasta_cuando_acepto_cada_topico_de_uno_en_uno_o_juntos(
        self, despacho: Despacho
    ) -> None:
        despues = AHORA + timedelta(seconds=40)
        await despacho.despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        await despacho.despachador.publicar_varios(
            [(replace(CONVERSION, recibido_en=despues), "c-2")], traza=None
        )
        assert despacho.despachador.aceptado_antes_de(despues) == {
            COMANDO_REGISTRAR_IMPRESION: IMPRESION.recibido_en
        }
        assert despacho.despachador.aceptado_antes_de(despues + timedelta(seconds=1)) == {
            COMANDO_REGISTRAR_IMPRESION: IMPRESION.recibido_en,
            COMANDO_REGISTRAR_CONVERSION: despues,
        }

    async def test_de_ninguno_no_hay_nada_que_decir(self, despacho: Despacho) -> None:
        assert await despacho.despachador.publicar_varios([], traza=None) == []

    async def test_sin_broker_dice_la_causa_de_cada_uno(self, despacho: Despacho) -> None:
        await despacho.despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        despacho.quitar_broker()
        causas = await despacho.despachador.publicar_varios(
            [(IMPRESION, "c-2"), (CONVERSION, "c-3")], traza=None
        )
        assert [type(causa) for causa in causas] == [BrokerNoDisponible, BrokerNoDisponible]

    async def test_con_broker_esta_disponible(self, despacho: Despacho) -> None:
        await hasta_en_el_bucle(lambda: despacho.despachador.disponible, segundos=60)

    async def test_sin_broker_lo_dice_y_no_esta_disponible(self, despacho: Despacho) -> None:
        await despacho.despachador.publicar(IMPRESION, comando_id="c-1", traza=None)
        despacho.quitar_broker()
        await hasta_en_el_bucle(lambda: not despacho.despachador.disponible)
        with pytest.raises(BrokerNoDisponible):
            await despacho.despachador.publicar(IMPRESION, comando_id="c-2", traza=None)
        sabido: list[bool] = []
        despacho.despachador.publicar_enseguida(IMPRESION, sabido.append, comando_id="c-3", traza=None)
        await hasta_en_el_bucle(lambda: bool(sabido), segundos=60)
        assert sabido == [False]


class TestDespachadorEnMemoria(ContratoDespachador):
    @pytest.fixture
    def despacho(self) -> Despacho:
        puertos = PuertosEnMemoria()
        return Despacho(puertos, lambda: puertos.publicados, lambda: setattr(puertos, "disponible", False))


class SobreUnBroker(ContratoDespachador):
    """Lo común a los dos brokers."""

    @pytest.fixture
    async def despacho(self, broker: Broker) -> AsyncGenerator[Despacho]:
        broker.arrancar()
        cliente = broker.cliente()
        despachador = DespachadorPulsar(limite=20.0, metricas=metricas_de_publicacion())
        await despachador.abrir(cliente)
        yield Despacho(despachador, lambda: _publicados(broker), broker.matar)
        await despachador.cerrar()
        await asyncio.to_thread(cliente.cerrar)


class TestDespachadorSobreElBrokerEmbebido(SobreUnBroker):
    @pytest.fixture
    def broker(self, tmp_path: Path) -> Generator[Broker]:
        with broker_de_prueba(tmp_path / "broker") as broker:
            yield broker


class TestDespachadorSobreApachePulsar(SobreUnBroker):
    @pytest.fixture
    def broker(self, pulsar_apache: ServidorApache) -> Broker:
        pulsar_apache.arrancar_si_falta()
        return ApacheDePrueba(pulsar_apache)


def _publicados(broker: Broker) -> list[Publicado]:
    publicados: list[Publicado] = []
    for topico in (COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION):
        for mensaje in broker.leer(topico):
            abierto = abrir_comando(
                topico,
                carga=mensaje.data(),
                propiedades=mensaje.properties(),
                clave=mensaje.partition_key(),
                publicado_en=AHORA,
                posicion="",
                epoca=UUID(int=1),
            )
            assert isinstance(abierto, ComandoRecibido)
            assert mensaje.partition_key() == abierto.comando.id
            publicados.append((abierto.comando, abierto.identidad.comando_id, abierto.traza))
    return publicados
