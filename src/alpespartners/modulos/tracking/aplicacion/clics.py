"""Recepción de un clic: al broker si responde enseguida, y si no a la cola en disco.

Qué es: cuánto se espera por un clic, y qué se hace con él cuando se acaba la espera.
Qué no es: la redirección, que es de la API, ni la cola, que es de la infraestructura.
Por qué existe: quien hace clic está esperando una página. No puede repetir un envío que falla, ni se le puede
tener parado: su clic lo guarda este servicio hasta que el broker lo confirme.
"""

import asyncio

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BrokerNoDisponible,
    ColaDeClics,
    DespachadorComandos,
)
from alpespartners.seedwork.plazo_comun import PlazoComun


class RecepcionDeClics:
    """Quien recibe los clics de un proceso.

    Args:
        despachador: por donde se publican.
        cola: donde esperan los que no se pueden publicar enseguida.
        espera: segundos que se espera al broker, como mucho.
    """

    def __init__(self, despachador: DespachadorComandos, cola: ColaDeClics, espera: float) -> None:
        self._despachador = despachador
        self._cola = cola
        self._plazos: PlazoComun[bool] = PlazoComun(espera)
        self._en_curso: set[asyncio.Future[bool]] = set()

    async def recibir(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        """Vuelve cuando el clic está a salvo o, si no puede estarlo, contado como perdido."""
        if not self._despachador.disponible:
            await self._cola.guardar(comando, comando_id=comando_id, traza=traza)
            return
        envio = asyncio.ensure_future(self._publicar(comando, comando_id, traza))
        # Mientras dura, nadie más guarda esta tarea.
        self._en_curso.add(envio)
        envio.add_done_callback(self._en_curso.discard)
        await self._hasta_saber(envio)
        if not envio.done():
            await self._cola.guardar(comando, comando_id=comando_id, traza=traza, en_curso=envio)
        elif not envio.result():
            await self._cola.guardar(comando, comando_id=comando_id, traza=traza)

    async def _hasta_saber(self, envio: asyncio.Future[bool]) -> None:
        """Vuelve cuando se sabe qué fue de ese envío, que sigue aunque se acabe la espera."""
        sabido = self._plazos.futuro()

        def avisar(_envio: asyncio.Future[bool]) -> None:
            if not sabido.done():
                sabido.set_result(True)

        envio.add_done_callback(avisar)
        await sabido

    async def _publicar(self, comando: Comando, comando_id: str, traza: str | None) -> bool:
        """Dice si el broker lo confirmó."""
        try:
            await self._despachador.publicar(comando, comando_id=comando_id, traza=traza)
        except BrokerNoDisponible:
            return False
        return True
