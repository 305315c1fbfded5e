"""El bucle del consumidor: qué se confirma y cuándo, falle la base de datos o estorbe un mensaje."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.infraestructura import consumidores
from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidores
from alpespartners.modulos.tracking.infraestructura.relevo import Relevo
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, IMPRESION
from tests.apoyo.pulsar_falso import ClienteFalso, SuscripcionFalsa, mensaje

T = TypeVar("T")


@dataclass
class ManejadorFalso:
    """Registra todo, salvo los `id` que la prueba declaró imposibles."""

    topico: str = COMANDO_REGISTRAR_IMPRESION
    imposibles: set[str] = field(default_factory=set)

    def manejar(self, lote: Sequence[Any], transaccion: Any, ahora: Any) -> list[DestinoDeComando]:
        ids = [recibido.comando.id for recibido in lote]
        if self.imposibles.intersection(ids):
            raise ZeroDivisionError
        transaccion.bandeja.depositados += ids
        return [
            DestinoDeComando(
                identidad=r.identidad,
                evento_id=r.comando.id,
                recibido_en=AHORA,
                decidido_en=ahora,
                destino=Registrada(),
            )
            for r in lote
        ]


class BandejaFalsa:
    def __init__(self) -> None:
        self.depositados: list[Any] = []


@dataclass
class LibroFalso:
    """Un libro que puede no responder; recuerda los lotes que llegaron a su commit."""

    fallos: int = 0
    asentados: list[list[str]] = field(default_factory=list)
    antes_del_commit: Callable[[], None] = lambda: None

    async def ejecutar(self, trabajo: Callable[[Any], T]) -> T:
        await asyncio.sleep(0)
        if self.fallos:
            self.fallos -= 1
            raise BaseDatosNoDisponible
        self.bandeja = BandejaFalsa()
        resultado = trabajo(self)
        self.antes_del_commit()
        self.asentados.append(list(self.bandeja.depositados))
        return resultado


class RelevoFalso(Relevo):
    def __init__(self) -> None:
        self.entregados: list[Any] = []
        self.cerrado_en: float | None = None

    async def abrir(self) -> None: ...

    def entregar(self, envios: Any) -> None:
        self.entregados += envios

    async def cerrar(self, segundos: float = 0.0) -> None:
        self.cerrado_en = segundos


@dataclass
class Prueba:
    suscripcion: SuscripcionFalsa = field(default_factory=SuscripcionFalsa)
    libro: LibroFalso = field(default_factory=LibroFalso)
    manejador: ManejadorFalso = field(default_factory=ManejadorFalso)
    relevo: RelevoFalso = field(default_factory=RelevoFalso)
    cliente: ClienteFalso = field(default_factory=ClienteFalso)

    def llegan(self, *ids: str) -> None:
        self.suscripcion.mensajes.extend(mensaje(replace(IMPRESION, id=id), id) for id in ids)

    @asynccontextmanager
    async def consumiendo(self) -> AsyncGenerator[None]:
        self.cliente.suscripciones.append(self.suscripcion)
        parar = asyncio.Event()
        trabajo = asyncio.create_task(
            Consumidores(
                self.cliente,
                [self.manejador],
                libro=self.libro,
                relevo=self.relevo,
                epoca=UUID(int=1),
                reloj=lambda: AHORA,
            ).trabajar(parar)
        )
        try:
            yield
        finally:
            parar.set()
            await trabajo

    async def confirmados(self, *ids: str) -> None:
        await hasta_en_el_bucle(lambda: set(self.suscripcion.confirmados) == set(ids))


@pytest.fixture(autouse=True)
def sin_pausas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumidores, "PAUSA_MINIMA", 0.01)
    monkeypatch.setattr(consumidores, "PAUSA_MAXIMA", 0.05)


@pytest.fixture
def prueba() -> Prueba:
    return Prueba()


async def test_un_lote_es_una_transaccion_y_se_confirma_despues_de_su_commit(prueba: Prueba) -> None:
    antes: list[list[str]] = []
    prueba.libro.antes_del_commit = lambda: antes.append(list(prueba.suscripcion.confirmados))
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b", "c"]]
    assert antes == [[]]
    assert prueba.relevo.entregados == ["a", "b", "c"]
    assert prueba.relevo.cerrado_en is not None


async def test_un_lote_no_pasa_de_su_maximo(prueba: Prueba, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumidores, "MAXIMO_LOTE", 2)
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]


async def test_un_lote_no_pasa_de_su_maximo_de_octetos(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumidores, "MAXIMO_OCTETOS_LOTE", 1)
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b")
    assert prueba.libro.asentados == [["a"], ["b"]]


async def test_si_la_base_de_datos_no_responde_no_se_confirma_nada_y_el_lote_se_repite(
    prueba: Prueba,
) -> None:
    prueba.libro.fallos = 3
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.libro.fallos == 1)
        assert prueba.suscripcion.confirmados == []
        await prueba.confirmados("a", "b")
        prueba.llegan("c")
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]
    assert prueba.suscripcion.devueltos == []


async def test_un_mensaje_que_hace_fallar_su_transaccion_se_devuelve_y_sus_vecinos_siguen(
    prueba: Prueba,
) -> None:
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "d", "e")
        assert prueba.suscripcion.devueltos == ["c"]

        # La segunda vez ya se sabe: va aparte y no hace repetir a nadie.
        asentados = len(prueba.libro.asentados)
        prueba.llegan("f", "c", "g")
        await prueba.confirmados("a", "b", "d", "e", "f", "g")
        assert prueba.libro.asentados[asentados:] == [["f", "g"]]
        await hasta_en_el_bucle(lambda: prueba.suscripcion.devueltos == ["c", "c"])

        prueba.manejador.imposibles = set()
        prueba.llegan("c")
        await prueba.confirmados("a", "b", "c", "d", "e", "f", "g")


async def test_si_no_se_puede_confirmar_el_bucle_sigue(prueba: Prueba) -> None:
    prueba.suscripcion.no_confirma = True
    prueba.llegan("a")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.libro.asentados == [["a"]])
        prueba.suscripcion.no_confirma = False
        prueba.llegan("b")
        await prueba.confirmados("b")


async def test_si_pierde_la_suscripcion_hace_otra(prueba: Prueba) -> None:
    async with prueba.consumiendo():
        otra = SuscripcionFalsa()
        prueba.cliente.suscripciones.append(otra)
        await hasta_en_el_bucle(lambda: len(prueba.cliente.suscripciones) == 1)
        prueba.suscripcion.rota = True
        await hasta_en_el_bucle(lambda: not prueba.cliente.suscripciones)
        assert prueba.suscripcion.cerrada.is_set()
        prueba.suscripcion = otra
        prueba.llegan("a")
        await prueba.confirmados("a")


async def test_si_el_broker_no_esta_insiste(prueba: Prueba) -> None:
    prueba.cliente.fallos = 3
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a")
    assert len(prueba.cliente.pedidos) == 4


async def test_al_parar_con_la_base_de_datos_caida_no_se_confirma_nada_y_se_vuelve_enseguida(
    prueba: Prueba,
) -> None:
    prueba.libro.fallos = 1_000_000
    prueba.llegan("a")
    async with prueba.consumiendo():
        await hasta_en_el_bucle(lambda: prueba.libro.fallos < 1_000_000)
    assert prueba.suscripcion.confirmados == []
    assert prueba.suscripcion.cerrada.is_set()
