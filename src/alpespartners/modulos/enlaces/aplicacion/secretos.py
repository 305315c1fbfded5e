"""Los secretos con que este servicio firma y comprueba: los de los ajustes o, si no hay, el guardado.

Qué es: una lectura que se recuerda mientras el proceso vive; el guardado no cambia nunca.
Por qué existe: todos los procesos han de firmar con el mismo, también donde nadie ha puesto ninguno.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from alpespartners.modulos.enlaces.dominio.secreto import Secreto


class Secretos:
    """Los de un proceso.

    Args:
        de_los_ajustes: si hay alguno, son todos; el primero firma.
        leer: lee el guardado; lanza `BaseDatosNoDisponible` si no puede.
    """

    def __init__(self, de_los_ajustes: Sequence[str], leer: Callable[[], Awaitable[bytes]]) -> None:
        self._todos = tuple(Secreto(escrito.encode()) for escrito in de_los_ajustes)
        self._leer = leer
        self._lectura: asyncio.Future[bytes] | None = None

    async def todos(self) -> Sequence[Secreto]:
        """Los que comprueban; el primero, que siempre lo hay, es el que firma."""
        if not self._todos:
            if self._lectura is None or self._lectura.done():
                self._lectura = asyncio.ensure_future(self._leer())
            # Una para cuantos pregunten a la vez, y quien se va no se la lleva.
            self._todos = (Secreto(await asyncio.shield(self._lectura)),)
        return self._todos
