"""Contar y dejar en el registro lo que pasa con cada lote de un tópico, y si la base de datos responde.

Qué es: las métricas y las líneas de registro de una tanda asentada, y de una base de datos muda u ocupada.
Por qué existe: quien asienta se lee sin ellas.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Escrita
from alpespartners.modulos.tracking.infraestructura.libro.balance import Cuentas, motivo_de
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class Bitacora:
    """Lo que se cuenta del consumo de un tópico.

    Args:
        topico: el suyo.
        metricas: las del proceso.
        reloj: la hora en UTC.

    Attributes:
        hay_base_datos: si la base de datos respondió la última vez.
    """

    def __init__(self, topico: str, metricas: MetricasDeConsumo, reloj: Callable[[], datetime]) -> None:
        self.topico = topico
        self._metricas = metricas
        self._reloj = reloj
        self.hay_base_datos = True

    def asentada(self, tanda: Sequence[Entrada], escrita: Escrita) -> None:
        """Una tanda llegó a su commit."""
        self.hay_base_datos = True
        (destinos, _), segundos = escrita
        retraso = self._reloj() - min(entrada.mensaje.publicado_en for entrada in tanda)
        resultados: Cuentas = Counter((asiento.destino.estado, motivo_de(asiento)) for asiento in destinos)
        self._metricas.lote(self.topico, len(tanda), resultados, segundos, max(0.0, retraso.total_seconds()))
        if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            self._con_detalle(tanda, escrita)
        motivos = {m: veces for (estado, m), veces in resultados.items() if estado == Rechazada.estado}
        if motivos:
            _registro.warning("comandos rechazados", topico=self.topico, motivos=motivos)
        if ilegibles := resultados[Ilegible.estado, ""]:
            _registro.warning("mensajes ilegibles", topico=self.topico, cuantos=ilegibles)

    def base_datos_muda(self, mensajes: int, pausa: float, fallo: str) -> None:
        """La base de datos no respondió a una tanda de tantos mensajes."""
        self.hay_base_datos = False
        self._metricas.base_datos_muda()
        _registro.warning(
            "la base de datos no está disponible",
            topico=self.topico,
            mensajes=mensajes,
            pausa=pausa,
            fallo=fallo,
        )

    def base_datos_ocupada(self, mensajes: int, retenidos: Sequence[str]) -> None:
        """La base de datos no pudo con algunos mensajes de un lote; `retenidos` dice por qué, uno a uno."""
        self._metricas.base_datos_muda()
        _registro.warning(
            "la base de datos está ocupada",
            topico=self.topico,
            mensajes=mensajes,
            apartados=len(retenidos),
            fallo=retenidos[-1],
        )

    def _con_detalle(self, tanda: Sequence[Entrada], escrita: Escrita) -> None:
        """Deja en el registro cada comando con la traza de su petición, para quien sigue una, y el lote."""
        (destinos, _), segundos = escrita
        trazas = {entrada.contenido.identidad: entrada.traza for entrada in tanda}
        for destino in destinos:
            _registro.debug(
                "comando asentado",
                topico=self.topico,
                estado=destino.destino.estado,
                traza=trazas[destino.identidad],
            )
        cuantos = Counter(destino.destino.estado for destino in destinos)
        _registro.debug(
            "lote asentado",
            topico=self.topico,
            mensajes=len(tanda),
            segundos=round(segundos, 4),
            **{estado.lower(): cuenta for estado, cuenta in cuantos.items()},
        )
