"""Recepción de un clic, o de lo de un píxel: al broker si responde enseguida, y si no a la cola en disco.

Qué es: cuánto se espera por un clic, y qué se hace con él cuando se acaba la espera.
Qué no es: la redirección ni el píxel, que son de la API, ni la cola, que es de la infraestructura.
Por qué existe: quien hace clic está esperando una página. No puede repetir un envío que falla, ni se le puede
tener parado: su clic lo guarda este servicio hasta que el broker lo confirme. Una imagen tampoco se repite.
"""

import asyncio

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import ColaDeClics, DespachadorComandos
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

    async def recibir(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        """Vuelve cuando el clic está a salvo o, si no puede estarlo, contado como perdido."""
        if not self._despachador.disponible:
            await self._cola.guardar(comando, comando_id=comando_id, traza=traza)
            return
        envio: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        sabido = self._plazos.futuro()

        def al_saber(confirmado: bool) -> None:  # noqa: FBT001
            envio.set_result(confirmado)
            # Se pudo acabar la espera, o irse quien esperaba.
            if not sabido.done():
                sabido.set_result(confirmado)

        self._despachador.publicar_enseguida(comando, al_saber, comando_id=comando_id, traza=traza)
        if not await sabido:
            en_curso = None if envio.done() else envio
            await self._cola.guardar(comando, comando_id=comando_id, traza=traza, en_curso=en_curso)
