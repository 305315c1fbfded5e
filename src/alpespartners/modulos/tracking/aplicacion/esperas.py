"""Las esperas: quien prefiere saber qué fue de su comando antes de recibir la respuesta.

Qué es: una tarea por proceso que pregunta por todos los comandos esperados en una sola consulta, y solo
mientras alguien espera.
Qué no es: el plazo de cada espera ni el aviso de que alguien se fue; eso lo sabe quien responde.
Por qué existe: mil peticiones que preguntasen cada una por su cuenta ocuparían la base de datos y los hilos
de las demás.
"""

import asyncio
import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta, Lecturas
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ignorada, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido

ESPERAS_MAXIMAS: Final = 1_000


def de_lotes(maximo: int) -> int:
    """Cuántas de las que puede haber se dejan a los lotes: uno no puede quitárselas a los demás envíos."""
    return maximo - maximo // 4


_PAUSA_MINIMA: Final = 0.02
_PAUSA_MAXIMA: Final = 0.2
_CRECIMIENTO: Final = 1.5

_registro = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asentado:
    """El comando quedó en el libro: lo registró él (`es_nuevo`), u otro antes con el mismo contenido.

    `difieren` son los campos, de los que solo describen, en que el otro decía otra cosa.
    """

    evento: EventoSeguido[Any]
    es_nuevo: bool
    difieren: tuple[str, ...] = ()


Desenlace = Asentado | Rechazada | Ignorada | Ilegible


@dataclass(frozen=True, slots=True)
class _Espera:
    clase: Clase
    evento_id: str
    futuro: asyncio.Future[Desenlace]


class Esperas:
    """Las esperas de un proceso.

    Args:
        lecturas: donde se pregunta; mientras no responda se sigue esperando.
        maximo: cuántas puede haber a la vez.
    """

    def __init__(self, lecturas: Lecturas, maximo: int = ESPERAS_MAXIMAS) -> None:
        self._lecturas = lecturas
        self._maximo = maximo
        self._pendientes: dict[str, _Espera] = {}
        self._alguien_llego = asyncio.Event()
        self._tarea: asyncio.Task[None] | None = None

    @property
    def cuantas(self) -> int:
        """Cuántas hay ahora."""
        return len(self._pendientes)

    @contextmanager
    def apuntar(
        self, clase: Clase, evento_id: str, comando_id: str, *, en_lote: bool = False
    ) -> Generator[asyncio.Future[Desenlace] | None]:
        """Entrega un futuro que tendrá el desenlace de ese comando, o `None` si ya esperan demasiados.

        Al salir del bloque nadie espera ya ese comando. A los de un lote no se les dan las últimas.
        """
        if len(self._pendientes) >= (de_lotes(self._maximo) if en_lote else self._maximo):
            yield None
            return
        futuro: asyncio.Future[Desenlace] = asyncio.get_running_loop().create_future()
        self._pendientes[comando_id] = _Espera(clase, evento_id, futuro)
        self._alguien_llego.set()
        if self._tarea is None or self._tarea.done():
            self._tarea = asyncio.create_task(self._vigilar(), name="esperas")
        try:
            yield futuro
        finally:
            self._pendientes.pop(comando_id, None)

    async def _vigilar(self) -> None:
        """Pregunta cada 20 ms; si nada cambia, cada vez más despacio hasta 200. Termina si nadie espera."""
        pausa = _PAUSA_MINIMA
        while self._pendientes:
            self._alguien_llego.clear()
            if await self._preguntar():
                pausa = _PAUSA_MINIMA
            await asyncio.sleep(_PAUSA_MINIMA)
            with suppress(TimeoutError):
                async with asyncio.timeout(pausa - _PAUSA_MINIMA):
                    await self._alguien_llego.wait()
            pausa = (
                _PAUSA_MINIMA if self._alguien_llego.is_set() else min(pausa * _CRECIMIENTO, _PAUSA_MAXIMA)
            )

    async def _preguntar(self) -> bool:
        esperadas = dict(self._pendientes)
        try:
            desenlaces = await self._lecturas.leer(lambda consulta: _desenlaces(consulta, esperadas))
        except BaseDatosNoDisponible:
            # Puede volver antes de que venza el plazo de quien espera.
            return False
        except Exception:  # noqa: BLE001 - se anota, y se vuelve a preguntar
            # Lo que se espera ya está a salvo: por no poder contarlo no puede fallar ninguna petición.
            _registro.exception("no se pudo preguntar por los comandos esperados")
            return False
        for comando_id, desenlace in desenlaces.items():
            espera = self._pendientes.pop(comando_id, None)
            if espera is not None:
                espera.futuro.set_result(desenlace)
        return bool(desenlaces)


def _desenlaces(consulta: Consulta, esperadas: Mapping[str, _Espera]) -> dict[str, Desenlace]:
    """Devuelve los que ya se conocen, por `comando_id`."""
    desenlaces: dict[str, Desenlace] = {}
    for clase in CLASES:
        suyas = {
            comando_id: espera.evento_id for comando_id, espera in esperadas.items() if espera.clase is clase
        }
        if not suyas:
            continue
        # Antes los destinos y después las filas: un duplicado se anota cuando su original ya está.
        anotados = {
            anotado.identidad.comando_id: anotado.destino
            for anotado in consulta.destinos.de_comandos(clase.topico, suyas)
        }
        eventos = consulta.eventos(clase).obtener(set(suyas.values()))
        for comando_id, evento_id in suyas.items():
            evento = eventos.get(evento_id)
            destino = anotados.get(comando_id)
            if evento is not None and evento.comando_id == comando_id:
                desenlaces[comando_id] = Asentado(evento, es_nuevo=True)
            elif isinstance(destino, Rechazada | Ignorada | Ilegible):
                desenlaces[comando_id] = destino
            elif isinstance(destino, Duplicada) and evento is not None:
                desenlaces[comando_id] = Asentado(evento, es_nuevo=False, difieren=destino.difieren)
    return desenlaces
