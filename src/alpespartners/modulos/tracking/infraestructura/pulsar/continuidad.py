"""La continuidad de lo que entrega el broker embebido: si se calla algo que guarda, se nota.

Qué es: las entradas de un tópico que recibió una suscripción, frente a las que el broker dice tener.
Qué no es: lo que se confirmó o se asentó, ni vale en Apache Pulsar, donde lo demás puede ser de otro
consumidor.
Por qué existe: con la máquina muy cargada el embebido deja alguna vez de entregar, sin error ni desconexión,
lo que ya confirmó a quien lo publicó. Sigue guardado y llega al suscribirse otra vez, pero nadie lo haría
hasta el siguiente arranque. Numera sus entradas en orden, y así lo que falta se ve.
"""

Lugar = tuple[int, int, int]
"""Libro, entrada e índice en su lote de un mensaje; los índices de una entrada llegan todos juntos."""


class Continuidad:
    """Lo que ha entregado el broker desde que se hizo una suscripción."""

    def __init__(self) -> None:
        self._ultima: tuple[int, int] | None = None
        self._final_anterior: tuple[int, int] | None = None

    def recibida(self, lugar: Lugar) -> None:
        """Anota un mensaje; si es una reentrega, no cambia nada."""
        entrada = lugar[:2]
        if self._ultima is None or entrada > self._ultima:
            self._ultima = entrada
        self._final_anterior = None

    def falta_algo(self, final: Lugar) -> bool:
        """Dice, tras un silencio, si el broker se calla algo, cuando `final` es lo último que guarda.

        Lo que ya estaba guardado en el silencio anterior debió llegar entre los dos. Si aún no ha llegado
        nada, lo de antes del primer silencio se da por confirmado por una suscripción anterior.
        """
        anterior, self._final_anterior = self._final_anterior, final[:2]
        if self._ultima is None:
            if anterior is None:
                self._ultima = final[:2]
            return False
        return anterior is not None and anterior > self._ultima
