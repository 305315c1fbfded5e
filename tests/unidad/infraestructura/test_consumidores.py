"""El bucle del consumidor: qué se confirma y cuándo, falle la base de datos o estorbe un mensaje."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, TypeVar
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BaseDatosOcupada
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.infraestructura import consumidores
from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados
from tests.apoyo.espera import hasta, hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, IMPRESION
from tests.apoyo.pulsar_falso import ClienteFalso, SuscripcionFalsa, mensaje

T = TypeVar("T")


@dataclass
class ManejadorFalso:
    """Registra todo, salvo los `id` que la prueba declaró imposibles."""

    topico: str = COMANDO_REGISTRAR_IMPRESION
    imposibles: set[str] = field(default_factory=set)
    fallo_al_rechazar: Exception | None = None
    inadmisibles: set[str] = field(default_factory=set)
    retenidos: set[str] = field(default_factory=set)
    intentos: Counter[str] = field(default_factory=Counter)
    rechazados: list[str] = field(default_factory=list)
    ilegibles: dict[str, str] = field(default_factory=dict)

    def manejar(self, lote: Sequence[Any], transaccion: Any, ahora: Any) -> list[DestinoDeComando]:
        ids: list[Any] = [r.clave if isinstance(r, MensajeIlegible) else r.comando.id for r in lote]
        self.intentos.update(ids)
        legibles = {r.comando.id for r in lote if isinstance(r, ComandoRecibido)}
        if self.imposibles & legibles:
            raise ZeroDivisionError
        if self.inadmisibles & legibles:
            raise DatosRechazados("IntegrityError")
        if any(self.intentos[id] < 2 * consumidores.MAXIMO_INTENTOS for id in self.retenidos & legibles):
            raise BaseDatosOcupada
        self.ilegibles |= {str(r.clave): r.detalle for r in lote if isinstance(r, MensajeIlegible)}
        transaccion.bandeja.depositados += ids
        return [
            DestinoDeComando(
                identidad=r.identidad,
                evento_id=id,
                recibido_en=AHORA,
                decidido_en=ahora,
                destino=Registrada(),
            )
            for r, id in zip(lote, ids, strict=True)
        ]

    def rechazar(self, mensaje: Any, transaccion: Any, ahora: Any) -> list[DestinoDeComando]:
        assert ahora == AHORA
        if self.fallo_al_rechazar is not None:
            raise self.fallo_al_rechazar
        transaccion.bandeja.depositados.append(mensaje.comando.id)
        self.rechazados.append(mensaje.comando.id)
        return []


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
        self.hay_base_datos = True
        self.cerrado_en: float | None = None

    async def abrir(self) -> None: ...

    def entregar(self, envios: Any) -> None:
        self.entregados += envios

    async def esperar_a_que_quepan(self) -> None: ...

    async def cerrar(self, segundos: float = 0.0) -> None:
        self.cerrado_en = segundos


@dataclass
class Prueba:
    suscripcion: SuscripcionFalsa = field(default_factory=SuscripcionFalsa)
    libro: LibroFalso = field(default_factory=LibroFalso)
    manejador: ManejadorFalso = field(default_factory=ManejadorFalso)
    relevo: RelevoFalso = field(default_factory=RelevoFalso)
    cliente: ClienteFalso = field(default_factory=ClienteFalso)
    archivo: BytesIO = field(default_factory=BytesIO)
    contadas: CollectorRegistry = field(default_factory=CollectorRegistry)
    maximo: int = 1_000

    def llegan(self, *ids: str) -> None:
        self.suscripcion.mensajes.extend(mensaje(replace(IMPRESION, id=id), id) for id in ids)

    @asynccontextmanager
    async def consumiendo(self) -> AsyncGenerator[Consumidores]:
        self.cliente.suscripciones.append(self.suscripcion)
        parar = asyncio.Event()
        del_proceso = Consumidores(
            self.cliente,
            [self.manejador],
            libro=self.libro,
            relevo=self.relevo,
            en_mano=EnMano(self.archivo, self.maximo),
            metricas=MetricasDeConsumo(self.contadas),
            epoca=UUID(int=1),
            reloj=lambda: AHORA,
        )
        trabajo = asyncio.create_task(del_proceso.trabajar(parar))
        try:
            yield del_proceso
        finally:
            parar.set()
            await trabajo

    async def confirmados(self, *ids: str) -> None:
        await hasta_en_el_bucle(lambda: set(self.suscripcion.confirmados) == set(ids))

    async def devuelto(self, id: str, veces: int) -> None:
        await hasta_en_el_bucle(lambda: self.suscripcion.devueltos.count(id) == veces)

    async def vuelve_hasta_confirmarse(self, id: str) -> None:
        """El broker entrega otra vez cuanto se le devuelve, como el de verdad."""
        entregas = 1

        def confirmado() -> bool:
            nonlocal entregas
            if self.suscripcion.devueltos.count(id) == entregas:
                entregas += 1
                self.llegan(id)
            return id in self.suscripcion.confirmados

        await hasta_en_el_bucle(confirmado)


def muere_con(archivo: BytesIO, maximo: int, mensajes: list[str], *, veces: int = 1) -> None:
    """Deja el archivo como lo dejan procesos que mueren con esos mensajes en mano."""
    for _ in range(veces):
        archivo.seek(0)
        EnMano(archivo, maximo).trabajando(mensajes).__enter__()
    archivo.seek(0)


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


async def test_lo_que_llega_mientras_se_asienta_un_lote_va_junto_en_el_siguiente(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    recibir = prueba.suscripcion.recibir
    esperas_vanas: list[int] = []

    def recibir_contando(espera_ms: int) -> MensajeRecibido | None:
        recibido = recibir(espera_ms)
        if recibido is None:
            esperas_vanas.append(espera_ms)
        return recibido

    def llegan_dos_con_una_pausa() -> None:
        if not prueba.libro.asentados:
            vanas = len(esperas_vanas)
            prueba.llegan("b")
            hasta(lambda: len(esperas_vanas) > vanas)
            prueba.llegan("c")

    monkeypatch.setattr(consumidores, "_ENTRE_LOTES", 0.0)
    monkeypatch.setattr(prueba.suscripcion, "recibir", recibir_contando)
    prueba.libro.antes_del_commit = llegan_dos_con_una_pausa
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a"], ["b", "c"]]


async def test_un_lote_no_pasa_de_su_maximo(prueba: Prueba) -> None:
    prueba.maximo = 2
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]


async def test_un_lote_no_pasa_de_su_maximo_de_octetos(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    prueba.llegan("a", "b", "c")
    de_uno = len(prueba.suscripcion.mensajes[0].carga or b"")
    monkeypatch.setattr(consumidores, "MAXIMO_OCTETOS_LOTE", de_uno + 1)
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.libro.asentados == [["a", "b"], ["c"]]


async def test_un_mensaje_sin_valor_acaba_ilegible_y_sus_vecinos_siguen(prueba: Prueba) -> None:
    prueba.llegan("a", "b", "c", "d")
    for lugar in (0, 2):
        prueba.suscripcion.mensajes[lugar] = prueba.suscripcion.mensajes[lugar]._replace(carga=None)
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c", "d")
    assert prueba.manejador.ilegibles == dict.fromkeys("ac", "el mensaje no tiene valor")


async def test_si_la_base_de_datos_no_responde_no_se_confirma_nada_y_el_lote_se_repite(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
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
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pausa in ("PAUSA_MINIMA", "PAUSA_MAXIMA"):
        monkeypatch.setattr(consumidores, pausa, 600.0)
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


async def test_un_mensaje_que_falla_y_despues_no_se_asienta_como_los_demas(prueba: Prueba) -> None:
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("c")
    async with prueba.consumiendo():
        await prueba.devuelto("c", veces=1)
        prueba.manejador.imposibles = set()
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.libro.asentados == [["c"]]
    assert prueba.manejador.ilegibles == {}


async def test_al_quinto_fallo_un_mensaje_acaba_ilegible_en_su_propia_transaccion(prueba: Prueba) -> None:
    prueba.manejador.imposibles = {"c"}
    prueba.llegan("c")
    async with prueba.consumiendo():
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.manejador.intentos["c"] == 5 + 1  # cinco fallos y su destino
    assert prueba.manejador.ilegibles == {"c": "el programa falló 5 veces al asentarlo: ZeroDivisionError"}
    assert prueba.libro.asentados == [["c"]]


async def test_lo_que_la_base_de_datos_no_admite_se_rechaza_aparte_y_se_confirma(prueba: Prueba) -> None:
    prueba.manejador.inadmisibles = {"b", "e"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c", "d", "e")
    assert prueba.manejador.rechazados == ["b", "e"]
    assert [lote for lote in prueba.libro.asentados if {"b", "e"} & {*lote}] == [["b"], ["e"]]
    assert prueba.suscripcion.devueltos == []


@pytest.mark.parametrize("fallo", [ZeroDivisionError(), DatosRechazados("IntegrityError")], ids=repr)
async def test_si_ni_el_rechazo_se_puede_anotar_acaba_ilegible(prueba: Prueba, fallo: Exception) -> None:
    prueba.manejador.inadmisibles = {"b"}
    prueba.manejador.fallo_al_rechazar = fallo
    prueba.llegan("b")
    async with prueba.consumiendo():
        await prueba.vuelve_hasta_confirmarse("b")
    assert prueba.manejador.ilegibles.keys() == {"b"}


async def test_si_ni_como_ilegible_se_puede_asentar_sigue_volviendo_al_broker(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    intentos: list[object] = []
    entregas = 1

    def manejar(lote: Sequence[Any], *_resto: Any) -> list[DestinoDeComando]:
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


async def test_si_la_base_de_datos_no_responde_no_cuenta_como_fallo_de_nadie(prueba: Prueba) -> None:
    prueba.libro.fallos = 12
    prueba.llegan("a")
    async with prueba.consumiendo():
        await prueba.confirmados("a")
    assert prueba.manejador.ilegibles == {}
    assert prueba.suscripcion.devueltos == []


async def test_dice_que_falta_la_base_de_datos_hasta_que_responde(prueba: Prueba) -> None:
    prueba.libro.fallos = 1_000_000
    prueba.llegan("a")
    async with prueba.consumiendo() as del_proceso:
        assert del_proceso.hay_base_datos()
        await hasta_en_el_bucle(lambda: not del_proceso.hay_base_datos())
        assert prueba.contadas.get_sample_value("alpes_base_datos_fallos_total")
        prueba.libro.fallos = 0
        await prueba.confirmados("a")
        assert del_proceso.hay_base_datos()
        prueba.relevo.hay_base_datos = False
        assert not del_proceso.hay_base_datos()


async def test_lo_que_otro_retiene_en_la_base_de_datos_no_detiene_a_sus_vecinos_ni_cuenta_como_fallo_suyo(
    prueba: Prueba,
) -> None:
    prueba.manejador.retenidos = {"c"}
    prueba.llegan("a", "b", "c", "d", "e")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "d", "e")
        await prueba.vuelve_hasta_confirmarse("c")
    assert prueba.manejador.ilegibles == {}
    assert prueba.contadas.get_sample_value("alpes_base_datos_fallos_total")


async def test_un_fallo_del_programa_al_abrir_un_mensaje_lo_deja_ilegible_y_sus_vecinos_siguen(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    def abrir(topico: str, *, posicion: str, **resto: Any) -> Any:
        if posicion == "b":
            raise ZeroDivisionError
        return abrir_comando(topico, posicion=posicion, **resto)

    monkeypatch.setattr(consumidores, "abrir_comando", abrir)
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert prueba.manejador.ilegibles == {"b": "el programa falló al abrirlo: ZeroDivisionError"}


async def test_un_mensaje_esta_en_mano_al_abrirlo_y_al_asentarlo_y_despues_ya_no(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    def si_muriera_aqui() -> int:
        return EnMano(BytesIO(prueba.archivo.getvalue()), prueba.maximo).limite

    def abrir(topico: str, **resto: Any) -> Any:
        limites.append(si_muriera_aqui())
        return abrir_comando(topico, **resto)

    def manejar(*argumentos: Any) -> list[DestinoDeComando]:
        limites.append(si_muriera_aqui())
        return asentar(*argumentos)

    limites: list[int] = []
    asentar = prueba.manejador.manejar
    monkeypatch.setattr(consumidores, "abrir_comando", abrir)
    monkeypatch.setattr(prueba.manejador, "manejar", manejar)
    prueba.llegan("a", "b")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b")
    assert limites == [1, 1, 1]
    assert si_muriera_aqui() == prueba.maximo


async def test_lo_que_mato_tres_veces_al_proceso_se_da_por_ilegible_sin_abrirlo(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    abiertos: list[str] = []

    def abrir(topico: str, *, posicion: str, **resto: Any) -> Any:
        abiertos.append(posicion)
        return abrir_comando(topico, posicion=posicion, **resto)

    monkeypatch.setattr(consumidores, "abrir_comando", abrir)
    muere_con(prueba.archivo, prueba.maximo, [f"{COMANDO_REGISTRAR_IMPRESION} {UUID(int=1)} b"], veces=3)
    prueba.llegan("a", "b", "c")
    async with prueba.consumiendo():
        await prueba.confirmados("a", "b", "c")
    assert abiertos == ["a", "c"]
    assert prueba.manejador.ilegibles == {"b": "hizo morir 3 veces al consumidor"}
    # Su muerte ya está explicada: no queda de qué cuidarse ni a quién condenar.
    prueba.archivo.seek(0)
    assert not EnMano(prueba.archivo, prueba.maximo).mata(f"{COMANDO_REGISTRAR_IMPRESION} {UUID(int=1)} b")


async def test_con_cautela_se_va_de_lote_en_lote_y_el_lote_vuelve_a_crecer(prueba: Prueba) -> None:
    prueba.maximo = 8
    muere_con(prueba.archivo, prueba.maximo, list("12345678"))
    prueba.llegan(*map(str, range(40)))
    async with prueba.consumiendo():
        await prueba.confirmados(*map(str, range(40)))
    assert [len(lote) for lote in prueba.libro.asentados] == [4, 4, 8, 8, 8, 8]


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


async def test_una_suscripcion_que_no_recupera_la_conexion_se_cambia_por_otra(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumidores, "_ESPERA_MS", 1)
    monkeypatch.setattr(consumidores, "_DESCONEXION_TOLERADA", 0.0)
    async with prueba.consumiendo() as del_proceso:
        await hasta_en_el_bucle(lambda: del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: True})
        perdida, prueba.suscripcion = prueba.suscripcion, SuscripcionFalsa()
        perdida.esta_conectada = False
        assert del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: False}
        prueba.cliente.suscripciones.append(prueba.suscripcion)
        await hasta_en_el_bucle(lambda: del_proceso.suscripciones() == {COMANDO_REGISTRAR_IMPRESION: True})
        assert perdida.cerrada.is_set()
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


async def test_al_parar_no_se_espera_a_una_transaccion_que_no_termina(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    empezada = asyncio.Event()

    async def no_termina(_trabajo: Any) -> Any:
        empezada.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(consumidores, "_SEGUNDOS_PARA_ASENTAR", 0.01)
    monkeypatch.setattr(prueba.libro, "ejecutar", no_termina)
    prueba.llegan("a")
    async with prueba.consumiendo():
        await empezada.wait()
    assert prueba.suscripcion.confirmados == []
    assert prueba.suscripcion.cerrada.is_set()
    assert prueba.relevo.cerrado_en is not None


async def test_al_parar_no_queda_ningun_hilo_esperando_a_que_termine_esa_transaccion(
    prueba: Prueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    empezada = asyncio.Event()

    async def no_termina(_trabajo: Any) -> Any:
        empezada.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(consumidores, "_SEGUNDOS_PARA_ASENTAR", 0.01)
    monkeypatch.setattr(consumidores, "_SEGUNDOS_DE_CIERRE", 0.01)
    monkeypatch.setattr(prueba.libro, "ejecutar", no_termina)
    prueba.llegan("a")
    async with prueba.consumiendo():
        await empezada.wait()
        prueba.llegan("b")
        await hasta_en_el_bucle(lambda: not prueba.suscripcion.mensajes)
    del_consumidor = f"consumidor-{COMANDO_REGISTRAR_IMPRESION}"
    await hasta_en_el_bucle(
        lambda: not [hilo for hilo in threading.enumerate() if hilo.name.startswith(del_consumidor)]
    )


async def test_lo_que_se_dice_de_un_solo_mensaje_lleva_su_traza_y_solo_si_es_una(prueba: Prueba) -> None:
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
