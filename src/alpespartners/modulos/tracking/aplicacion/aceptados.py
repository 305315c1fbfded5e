"""Los últimos comandos aceptados por un proceso: hasta cuándo, para compararlo con lo que el libro ya tiene.

Qué es: por tópico, el `recibido_en` del último de cada tramo de unos segundos; se olvidan solos.
Qué no es: una cuenta, ni lo aceptado por otros procesos o antes de arrancar.
Por qué existe: un consumidor detenido parece vivo. Solo el último no bastaría: con eventos que no dejan de
llegar siempre es de ahora, y tras un rato sin ninguno el primero aún no lleva nada esperando.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

_SEGUNDOS_DE_UN_TRAMO: Final = 10
_TRAMOS: Final = 8
"""Juntos, algo más del minuto más atrás que se pregunta."""


class UltimosAceptados:
    """Los de un proceso."""

    def __init__(self) -> None:
        self._de_cada_topico: defaultdict[str, dict[int, datetime]] = defaultdict(dict)

    def anotar(self, topico: str, recibido_en: datetime) -> None:
        """Anota uno que el broker confirmó."""
        # Cada envío pasa por aquí: nada más que dejar un valor.
        tramo = int(recibido_en.timestamp()) // _SEGUNDOS_DE_UN_TRAMO % _TRAMOS
        self._de_cada_topico[topico][tramo] = recibido_en

    def antes_de(self, instante: datetime) -> Mapping[str, datetime]:
        """Devuelve, por tópico, el `recibido_en` más nuevo de los anteriores a ese instante, si hay alguno.

        Si no dejan de llegar, puede quedarse corto un tramo, y el instante no está más de un minuto atrás.
        """
        anteriores = {
            topico: [recibido_en for recibido_en in tramos.values() if recibido_en < instante]
            for topico, tramos in self._de_cada_topico.items()
        }
        return {topico: max(suyos) for topico, suyos in anteriores.items() if suyos}
