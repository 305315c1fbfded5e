"""Los secretos con que este servicio firma y comprueba: los de los ajustes y, detrás, el guardado.

Qué es: una lectura que se recuerda mientras el proceso vive; el guardado no cambia nunca.
Por qué existe: todos los procesos han de firmar con el mismo, también donde nadie ha puesto ninguno; y el día
que alguien pone uno, los clics de ayer siguen siendo de este servicio.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from alpespartners.modulos.enlaces.dominio.secreto import Secreto


class Secretos:
    """Los de un proceso.

    Args:
        de_los_ajustes: si hay alguno, el primero firma.
        leer: lee el guardado, que comprueba después de los demás y firma si no hay otro; `None`, si no está
            a mano y se puede seguir sin él.
    """

    def __init__(self, de_los_ajustes: Sequence[str], leer: Callable[[], Awaitable[bytes | None]]) -> None:
        self._de_los_ajustes = tuple(Secreto(escrito.encode()) for escrito in de_los_ajustes)
        self._leer = leer
        self._todos: Sequence[Secreto] = ()
        self._lectura: asyncio.Future[bytes | None] | None = None

    async def todos(self) -> Sequence[Secreto]:
        """Los que comprueban; el primero, que siempre lo hay, es el que firma."""
        if not self._todos:
            if self._lectura is None or self._lectura.done():
                self._lectura = asyncio.ensure_future(self._leer())
            # Una para cuantos pregunten a la vez, y quien se va no se la lleva.
            guardado = await asyncio.shield(self._lectura)
            if guardado is None:
                return self._de_los_ajustes
            self._todos = (*self._de_los_ajustes, Secreto(guardado))
        return self._todos
