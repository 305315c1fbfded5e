"""Los consumidores de un proceso, compuestos como en `composicion`, con las piezas que cada prueba cambie."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from alpespartners.modulos.tracking.infraestructura.consumidores import Consumidor, Consumidores
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Apertura
from alpespartners.modulos.tracking.infraestructura.consumo.asentador import Asentador
from alpespartners.modulos.tracking.infraestructura.consumo.bitacora import Bitacora
from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Escritor, Manejador
from alpespartners.modulos.tracking.infraestructura.consumo.recogida import Recogida
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo, RitmoDelRelevo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar
from tests.apoyo.eventos import AHORA
from tests.apoyo.metricas import metricas_de_consumo

EPOCA = UUID(int=1)


@dataclass(kw_only=True)
class ConsumoDePrueba:
    """Las piezas de un proceso de consumidores; las que faltan son las de producción."""

    cliente: ClientePulsar
    manejadores: Sequence[Manejador]
    libro: Any
    archivo: BinaryIO
    relevo: Relevo | None = None
    ritmo: Ritmo = field(default_factory=Ritmo)
    ritmo_del_relevo: RitmoDelRelevo = field(default_factory=RitmoDelRelevo)
    metricas: MetricasDeConsumo = field(default_factory=metricas_de_consumo)
    reloj: Callable[[], datetime] = lambda: AHORA
    abrir: Callable[..., Any] = abrir_comando

    def consumidores(self) -> Consumidores:
        relevo = self.relevo or Relevo(
            self.cliente, self.libro, metricas=self.metricas, ritmo=self.ritmo_del_relevo
        )
        en_mano = EnMano(self.archivo, self.ritmo.maximo_lote)

        def consumidor(manejador: Manejador) -> Consumidor:
            en_espera = EnEspera(manejador.topico, self.ritmo.pausas_en_espera)
            apertura = Apertura(manejador.topico, EPOCA, en_mano, en_espera, self.abrir)
            recogida = Recogida(apertura, en_mano, en_espera, self.ritmo)
            escritor = Escritor(manejador, self.libro, relevo, en_mano, self.reloj)
            bitacora = Bitacora(manejador.topico, self.metricas, self.reloj)
            asentador = Asentador(escritor, apertura, bitacora, self.ritmo)
            return Consumidor(self.cliente, recogida, asentador, en_mano, self.ritmo)

        return Consumidores([consumidor(m) for m in self.manejadores], relevo, self.ritmo)
