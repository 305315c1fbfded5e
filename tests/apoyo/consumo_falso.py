"""El consumo sin broker ni base de datos: todo lo demás lo decide la prueba."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from prometheus_client import CollectorRegistry

from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    DestinoDeComando,
    LoteAsentado,
    MensajeIlegible,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BaseDatosOcupada
from alpespartners.modulos.tracking.aplicacion.topicos import COMANDO_REGISTRAR_IMPRESION
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.repositorios import DatosRechazados
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.consumo import ConsumoDePrueba
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, IMPRESION
from tests.apoyo.pulsar_falso import ClienteFalso, SuscripcionFalsa, mensaje

RITMO = Ritmo(pausas=Pausas(minima=0.01, maxima=0.05))
"""El de producción, con prisa por insistir."""


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

    def manejar(self, lote: Sequence[Any], transaccion: Any, ahora: Any) -> LoteAsentado:
        del transaccion
        ids: list[Any] = [r.clave if isinstance(r, MensajeIlegible) else r.comando.id for r in lote]
        self.intentos.update(ids)
        legibles = {r.comando.id for r in lote if isinstance(r, ComandoRecibido)}
        if self.imposibles & legibles:
            raise ZeroDivisionError
        if self.inadmisibles & legibles:
            raise DatosRechazados("IntegrityError")
        if any(self.intentos[id] < 2 * Ritmo().intentos for id in self.retenidos & legibles):
            raise BaseDatosOcupada
        self.ilegibles |= {str(r.clave): r.detalle for r in lote if isinstance(r, MensajeIlegible)}
        destinos = [
            DestinoDeComando(
                identidad=r.identidad,
                evento_id=id,
                recibido_en=AHORA,
                decidido_en=ahora,
                destino=Registrada(),
            )
            for r, id in zip(lote, ids, strict=True)
        ]
        return LoteAsentado(destinos, ids)

    def rechazar(self, mensaje: Any, transaccion: Any, ahora: Any) -> LoteAsentado:
        del transaccion
        assert ahora == AHORA
        if self.fallo_al_rechazar is not None:
            raise self.fallo_al_rechazar
        self.rechazados.append(mensaje.comando.id)
        return LoteAsentado([], [mensaje.comando.id])


@dataclass
class LibroFalso:
    """Un libro que puede no responder; recuerda los lotes que llegaron a su commit."""

    fallos: int = 0
    asentados: list[list[str]] = field(default_factory=list)
    antes_del_commit: Callable[[], None] = lambda: None

    async def ejecutar(self, trabajo: Callable[[Any], Any]) -> Any:
        await asyncio.sleep(0)
        if self.fallos:
            self.fallos -= 1
            raise BaseDatosNoDisponible
        asentado = trabajo(self)
        self.antes_del_commit()
        self.asentados.append(list(asentado.envios))
        return asentado


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
class Consumo:
    """Un proceso de consumidores en el que solo es de verdad el consumo, y lo que la prueba mira de él."""

    suscripcion: SuscripcionFalsa = field(default_factory=SuscripcionFalsa)
    libro: LibroFalso = field(default_factory=LibroFalso)
    manejador: ManejadorFalso = field(default_factory=ManejadorFalso)
    relevo: RelevoFalso = field(default_factory=RelevoFalso)
    cliente: ClienteFalso = field(default_factory=ClienteFalso)
    archivo: BytesIO = field(default_factory=BytesIO)
    contadas: CollectorRegistry = field(default_factory=CollectorRegistry)
    ritmo: Ritmo = RITMO
    abrir: Callable[..., Any] = abrir_comando

    def llegan(self, *ids: str) -> None:
        self.suscripcion.mensajes.extend(mensaje(replace(IMPRESION, id=id), id) for id in ids)

    @asynccontextmanager
    async def consumiendo(self) -> AsyncGenerator[Consumidores]:
        self.cliente.suscripciones.append(self.suscripcion)
        parar = asyncio.Event()
        del_proceso = ConsumoDePrueba(
            cliente=self.cliente,
            manejadores=[self.manejador],
            libro=self.libro,
            archivo=self.archivo,
            relevo=self.relevo,
            ritmo=self.ritmo,
            metricas=MetricasDeConsumo(self.contadas),
            abrir=self.abrir,
        ).consumidores()
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
