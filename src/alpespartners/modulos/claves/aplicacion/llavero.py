"""Las claves guardadas, en la memoria de un proceso que las comprueba.

Qué es: la última lectura de la base de datos y, mientras el proceso vive, quien la renueva cada segundo.
Qué no es: qué se puede hacer con cada una, que es de la puerta por la que se entra.
Por qué existe: comprobar una clave no puede esperar a la base de datos, y aun así una revocada ha de dejar de
valer en todos los procesos antes de que quien la revoca reciba su respuesta.

Una lectura vale `SEGUNDOS_DE_VIGENCIA` desde que se pidió, y una que falla alarga otro tanto la anterior.
Pasados, quien vaya a comprobar una clave espera antes a otra (`ponerse_al_dia`): ni un proceso que estuvo
detenido, con una a medias o sin ella, admite lo revocado. Mientras la base de datos no responde manda la
última que se leyó; que una clave caduque no depende de ella.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from alpespartners.modulos.claves.dominio.clave import (
    ClaveGuardada,
    Dialecto,
    identidad_publica,
    partes_de,
)

SEGUNDOS_ENTRE_LECTURAS: Final = 1.0
SEGUNDOS_DE_UNA_LECTURA: Final = 2.0
"""Los que se la espera."""
SEGUNDOS_DE_VIGENCIA: Final = 2 * SEGUNDOS_DE_UNA_LECTURA + SEGUNDOS_ENTRE_LECTURAS
"""Lo que cubre hasta el final de la siguiente: a una base de datos lenta no la espera quien comprueba."""

_registro = logging.getLogger(__name__)

_EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NADIE: Final = ClaveGuardada(
    identidad="",
    nombre="",
    sal=bytes(16),
    resumen=bytes(32),
    alcances=frozenset(),
    dialecto=None,
    campañas=frozenset(),
    prefijo="",
    limite=None,
    caduca_en=None,
    creada_en=_EPOCA,
    revocada_en=_EPOCA,
)
"""Con la que se compara el secreto de quien nombra a una que no existe: tarda lo mismo, y no vale nunca."""


class ClavesNoDisponibles(Exception):
    """No se pudieron leer ahora; dice por qué."""


Marca = tuple[object, ...]
"""Cómo están las claves guardadas: si no cambia, no ha cambiado ninguna."""


@dataclass(frozen=True, slots=True)
class Lectura:
    """Lo leído: la marca y, si no es la que ya se tenía, todas las claves.

    `ilegibles` son las identidades de las que no se entienden: no valen, y las demás sí.
    """

    marca: Marca
    claves: Sequence[ClaveGuardada] | None
    ilegibles: Sequence[str] = ()


Leer = Callable[[Marca | None], Awaitable[Lectura]]
"""Lee las claves, si su marca no es la dada; lanza `ClavesNoDisponibles` si no puede."""


class LlaveroGuardado:
    """Las claves guardadas, vistas desde un proceso. Solo se usa desde su bucle.

    Args:
        leer: de dónde salen.
        reloj: la hora, en UTC, con que se mira si una ha caducado.
        cronometro: segundos de un reloj que no retrocede.
    """

    def __init__(
        self,
        leer: Leer,
        reloj: Callable[[], datetime],
        cronometro: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leer = leer
        self._reloj = reloj
        self._cronometro = cronometro
        self._vence = -math.inf
        self._marca: Marca | None = None
        self._por_identidad: dict[str, ClaveGuardada] = {}
        self._publicas: list[ClaveGuardada] = []
        self._dialectos: frozenset[Dialecto | None] = frozenset()
        self._ilegibles: frozenset[str] = frozenset()
        self._en_curso: asyncio.Task[None] | None = None
        self._se_lee = True

    @property
    def se_conoce(self) -> bool:
        """Dice si se ha leído alguna vez: hasta entonces no se sabe ni si hay alguna clave."""
        return self._marca is not None

    @property
    def al_dia(self) -> bool:
        """Dice si la última lectura sigue valiendo."""
        return self._cronometro() < self._vence

    def hay_de(self, dialecto: Dialecto | None) -> bool:
        """Dice si alguna vez se hizo alguna para ese dialecto, valga o no ahora."""
        return dialecto in self._dialectos

    @property
    def hay(self) -> bool:
        """Dice si alguna vez se hizo alguna, valga o no ahora."""
        return bool(self._dialectos or self._ilegibles)

    @property
    def prefijos(self) -> frozenset[str]:
        """Lo que alguna de ellas antepone a los `id`, valga o no ahora."""
        return frozenset(clave.prefijo for clave in self._por_identidad.values() if clave.prefijo)

    def abrir(self, presentada: str) -> ClaveGuardada | None:
        """La que vale ahora y es ese texto; `None` si no hay ninguna."""
        partes = partes_de(presentada)
        if partes is None:
            return None
        identidad, secreto = partes
        guardada = self._por_identidad.get(identidad, _NADIE)
        return guardada if guardada.es_su_secreto(secreto) and guardada.vale(self._reloj()) else None

    def abrir_publica(self, presentada: str) -> ClaveGuardada | None:
        """La pública que vale ahora y es ese texto; `None` si no hay ninguna."""
        identidad = identidad_publica(presentada)
        guardada = None if identidad is None else self.nombrada(identidad)
        return guardada if guardada is not None and guardada.es_publica else None

    def publicas(self) -> Iterator[ClaveGuardada]:
        """Las públicas que valen ahora."""
        ahora = self._reloj()
        return (guardada for guardada in self._publicas if guardada.vale(ahora))

    def nombrada(self, identidad: str) -> ClaveGuardada | None:
        """La de esa identidad, si vale ahora; nombrarla no es presentarla."""
        guardada = self._por_identidad.get(identidad)
        return guardada if guardada is not None and guardada.vale(self._reloj()) else None

    async def ponerse_al_dia(self) -> None:
        """Espera a que acabe una lectura; quienes esperan a la vez esperan a la misma."""
        await self._esperar_a_una()
        while not self.al_dia:
            # Empezó antes de que el proceso se detuviera: no dice nada de lo que pasó mientras.
            await self._esperar_a_una()

    async def _esperar_a_una(self) -> None:
        if self._en_curso is None or self._en_curso.done():
            self._en_curso = asyncio.create_task(self._renovar(), name="llavero")
        # Quien deja de esperar no se lleva la lectura de los demás.
        await asyncio.shield(self._en_curso)

    @asynccontextmanager
    async def renovandose(self) -> AsyncGenerator[None]:
        """Lee antes de empezar y, mientras dura el bloque, cada segundo."""
        await self.ponerse_al_dia()
        tarea = asyncio.create_task(self._sin_parar(), name="llavero que se renueva")
        try:
            yield
        finally:
            for suya in (tarea, self._en_curso):
                if suya is not None:
                    suya.cancel()
                    with suppress(asyncio.CancelledError):
                        await suya

    async def _sin_parar(self) -> None:
        descanso = SEGUNDOS_ENTRE_LECTURAS
        while True:
            await asyncio.sleep(descanso)
            comienzo = self._cronometro()
            await self.ponerse_al_dia()
            descanso = max(0.0, SEGUNDOS_ENTRE_LECTURAS - (self._cronometro() - comienzo))

    async def _renovar(self) -> None:
        comienzo = self._cronometro()
        try:
            async with asyncio.timeout(SEGUNDOS_DE_UNA_LECTURA):
                lectura = await self._leer(self._marca)
        except TimeoutError:
            self._no_se_pudo("no responde")
        except ClavesNoDisponibles as fallo:
            self._no_se_pudo(str(fallo))
        except Exception as fallo:  # noqa: BLE001 - se anota, y se vuelve a leer
            # Sin quien la renueve, lo leído no cambiaría nunca.
            self._no_se_pudo("fallo imprevisto", fallo)
        else:
            self._poner(lectura)
            if not self._se_lee:
                _registro.info("las claves se leen otra vez")
            self._se_lee = True
        # También si no se pudo: nadie espera a lo que no responde. Desde que se pidió, y no desde ahora:
        # lo que el proceso estuvo detenido no lo cubre ninguna lectura.
        self._vence = comienzo + SEGUNDOS_DE_VIGENCIA

    def _no_se_pudo(self, fallo: str, imprevisto: Exception | None = None) -> None:
        if self._se_lee:
            _registro.warning(
                "las claves no se pueden leer; mandan las últimas leídas: %s", fallo, exc_info=imprevisto
            )
        self._se_lee = False

    def _poner(self, lectura: Lectura) -> None:
        self._marca = lectura.marca
        if lectura.claves is not None:
            self._por_identidad = {clave.identidad: clave for clave in lectura.claves}
            self._publicas = [clave for clave in lectura.claves if clave.es_publica]
            for identidad in sorted(set(lectura.ilegibles) - self._ilegibles):
                _registro.warning("la clave %s no vale: no la escribió este programa", identidad)
            # Las que hubo cuentan: una base de datos vacía no abre un servicio que pedía clave.
            self._dialectos |= {clave.dialecto for clave in lectura.claves}
            self._ilegibles |= set(lectura.ilegibles)
