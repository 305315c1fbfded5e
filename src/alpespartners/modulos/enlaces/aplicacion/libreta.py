"""Los enlaces en la memoria de un proceso que redirige.

Qué es: los últimos enlaces por los que se preguntó; cada uno se vuelve a leer a los `SEGUNDOS_DE_VIGENCIA`.
Qué no es: la lista de todos, ni dónde se guardan.
Por qué existe: a quien sigue un enlace no se le hace esperar a la base de datos, ni a que vuelva si se fue; y
un enlace que cambia ha de cambiar en segundos en todos los procesos.
"""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from alpespartners.modulos.enlaces.dominio.enlace import Enlace

T = TypeVar("T")

ENLACES_MAXIMOS: Final = 10_000
"""Los que se recuerdan; de más se olvida el que hace más que no se pide."""
INEXISTENTES_MAXIMOS: Final = 1_000
"""De los que se preguntó y no hay; aparte, para que quien los inventa no eche a los demás."""
LECTURAS_MAXIMAS: Final = 1_000
"""Las que esperan a la vez a la base de datos, también las que ya no espera nadie."""
SEGUNDOS_DE_VIGENCIA: Final = 5.0
SEGUNDOS_SI_SE_CONOCE: Final = 0.1
"""Los que se espera a leer otra vez uno que ya se conoce."""
SEGUNDOS_SI_NO: Final = 2.0

_registro = logging.getLogger(__name__)


class LibretaNoDisponible(Exception):
    """No se pudo leer ese enlace, y no se conocía; dice por qué."""


Leer = Callable[[str], Awaitable[Enlace | None]]
"""Lee un enlace de donde se guardan; lanza `LibretaNoDisponible` si no puede."""


@dataclass(frozen=True, slots=True)
class _Apunte:
    enlace: Enlace
    vence: float


class Libreta:
    """Los enlaces, vistos desde un proceso. Solo se usa desde su bucle.

    Args:
        leer: de dónde salen.
        cronometro: segundos de un reloj que no retrocede.
    """

    def __init__(self, leer: Leer, cronometro: Callable[[], float] = time.monotonic) -> None:
        self._leer = leer
        self._cronometro = cronometro
        self._conocidos: OrderedDict[str, _Apunte] = OrderedDict()
        self._inexistentes: OrderedDict[str, float] = OrderedDict()
        """Cuándo vence lo que se sabe de cada uno."""
        self._en_curso: dict[str, asyncio.Task[Enlace | None]] = {}
        self._se_lee = True

    async def buscar(self, enlace_id: str) -> Enlace | None:
        """El enlace, como estaba hace unos segundos como mucho; `None` si no hay ninguno que se llame así.

        Si la base de datos no responde, el que se conocía.

        Raises:
            LibretaNoDisponible: no responde, o tiene demasiado por leer, y no se conocía.
        """
        conocido = self._conocidos.get(enlace_id)
        if conocido is not None and self._cronometro() < conocido.vence:
            self._conocidos.move_to_end(enlace_id)
            return conocido.enlace
        if self._cronometro() < self._inexistentes.get(enlace_id, -math.inf):
            return None
        try:
            async with asyncio.timeout(SEGUNDOS_SI_NO if conocido is None else SEGUNDOS_SI_SE_CONOCE):
                # Quien deja de esperar no se lleva la lectura de los demás.
                return await asyncio.shield(self._lectura(enlace_id))
        except TimeoutError:
            return self._sin_leer(enlace_id, LibretaNoDisponible("la base de datos no responde"))
        except LibretaNoDisponible as fallo:
            return self._sin_leer(enlace_id, fallo)

    def _lectura(self, enlace_id: str) -> "asyncio.Task[Enlace | None]":
        """La que esté en curso de ese enlace, o una nueva.

        Raises:
            LibretaNoDisponible: hay ya demasiadas en curso.
        """
        tarea = self._en_curso.get(enlace_id)
        if tarea is None:
            if len(self._en_curso) >= LECTURAS_MAXIMAS:
                raise LibretaNoDisponible("la base de datos no responde a las lecturas que ya tiene")
            tarea = asyncio.create_task(self._renovar(enlace_id), name="enlace que se lee")
            self._en_curso[enlace_id] = tarea
            tarea.add_done_callback(lambda hecha: self._acabada(enlace_id, hecha))
        return tarea

    def _acabada(self, enlace_id: str, tarea: "asyncio.Task[Enlace | None]") -> None:
        del self._en_curso[enlace_id]
        if not tarea.cancelled():
            # La lanza en quien la espera, si queda alguien; si no, no es de nadie.
            tarea.exception()

    async def _renovar(self, enlace_id: str) -> Enlace | None:
        leido = await self._leer(enlace_id)
        if not self._se_lee:
            _registro.info("los enlaces se leen otra vez")
        self._se_lee = True
        vence = self._cronometro() + SEGUNDOS_DE_VIGENCIA
        self._conocidos.pop(enlace_id, None)
        self._inexistentes.pop(enlace_id, None)
        if leido is None:
            _poner(self._inexistentes, enlace_id, vence, INEXISTENTES_MAXIMOS)
        else:
            _poner(self._conocidos, enlace_id, _Apunte(leido, vence), ENLACES_MAXIMOS)
        return leido

    def _sin_leer(self, enlace_id: str, fallo: LibretaNoDisponible) -> Enlace:
        if self._se_lee:
            _registro.warning("los enlaces no se pueden leer; valen los que se conocen: %s", fallo)
        self._se_lee = False
        conocido = self._conocidos.get(enlace_id)
        if conocido is None:
            raise fallo
        # Vale otro tanto: con la base de datos caída, no espera cada clic.
        vence = self._cronometro() + SEGUNDOS_DE_VIGENCIA
        _poner(self._conocidos, enlace_id, _Apunte(conocido.enlace, vence), ENLACES_MAXIMOS)
        return conocido.enlace


def _poner(donde: OrderedDict[str, T], enlace_id: str, que: T, caben: int) -> None:
    donde[enlace_id] = que
    donde.move_to_end(enlace_id)
    if len(donde) > caben:
        donde.popitem(last=False)
