"""Un carril visto por quien publica: qué filas tienen su evento confirmado, y hasta cuál lo tienen todas.

Qué es: la cuenta, en memoria, de las filas de un carril que se leyeron para publicarlas.
Qué no es: sus filas, que están en el libro (`libro/carriles.py`), ni quien las publica.
Por qué existe: las confirmaciones llegan en cualquier orden, y lo que se anota es un solo número: hasta dónde
no falta ninguna. Si una no se confirma, se vuelve a leer desde ella, sin repetir las que sí.
"""

from collections.abc import Sequence
from typing import Final

from alpespartners.modulos.tracking.infraestructura.libro.carriles import Avance, Trozo

NUMEROS_POR_LECTURA: Final = 2_000
"""Cuántos números de llegada abarca una lectura: entre dos filas suyas puede haber millones de otros."""


class Carril:
    """Un carril de este proceso, o uno que tomó de otro.

    Args:
        numero: el suyo.
        topico: el de sus eventos.
        publicado_hasta: el número de llegada hasta el que está todo publicado.
        ultimo: el de su última fila.
        publicadas: cuántas hay hasta `publicado_hasta`.
    """

    def __init__(
        self, numero: int, topico: str, publicado_hasta: int = 0, ultimo: int = 0, publicadas: int = 0
    ) -> None:
        self.numero = numero
        self._topico = topico
        self._leido_hasta = publicado_hasta
        self._ultimo = ultimo
        self._en_curso: set[int] = set()
        # Las de detrás de una que falta; las demás ya no hacen falta.
        self._confirmadas: set[int] = set()
        self._publicadas = self._seguidas = publicadas
        self._anotado = Avance(numero, publicado_hasta, publicadas, publicadas)

    @property
    def atrasado(self) -> bool:
        """Dice si hay filas suyas que aún no se leyeron para publicarlas, o que hay que leer otra vez."""
        return self._leido_hasta < self._ultimo

    @property
    def activo(self) -> bool:
        """Dice si en la base de datos queda algo suyo pendiente."""
        return self._anotado.publicado_hasta < self._ultimo

    def nueva(self, numero: int, anterior: int, *, cabe: bool) -> bool:
        """Dice si se publica ya una fila recién escrita, que en el carril va detrás de `anterior`.

        Si no cabe, o alguna de antes sigue por leer, se leerá del libro con ellas. Y quizá ya se leyó así.
        """
        seguida = cabe and self._leido_hasta == self._ultimo == anterior
        self._ultimo = max(self._ultimo, numero)
        if seguida:
            self._en_curso.add(numero)
            self._leido_hasta = numero
        return seguida

    def leidas(self, trozo: Trozo, numeros: Sequence[int]) -> list[int]:
        """De las filas que el libro dio para un trozo, por orden, devuelve las que hay que publicar.

        Ninguna, si mientras se leían dejó de confirmarse otra anterior: hay que leer desde ella.
        """
        if trozo.despues_de != self._leido_hasta:
            return []
        faltan = [n for n in numeros if n not in self._en_curso and n not in self._confirmadas]
        self._en_curso.update(faltan)
        self._leido_hasta = numeros[-1] if len(numeros) == trozo.limite else trozo.hasta
        return faltan

    def sabida(self, numero: int, *, confirmada: bool) -> None:
        """Anota lo que el broker dijo del evento de una fila en curso."""
        self._en_curso.discard(numero)
        if confirmada:
            self._confirmadas.add(numero)
            self._publicadas += 1
        else:
            self._leido_hasta = min(self._leido_hasta, numero - 1)

    def trozo(self, limite: int) -> Trozo:
        """Lo siguiente que hay que leer del libro."""
        hasta = min(self._ultimo, self._leido_hasta + NUMEROS_POR_LECTURA)
        return Trozo(self.numero, self._topico, self._leido_hasta, hasta, limite)

    def avance(self) -> Avance:
        """Lo que hay que anotar en la base de datos."""
        hasta = min(min(self._en_curso, default=self._ultimo + 1) - 1, self._leido_hasta)
        sueltas = {numero for numero in self._confirmadas if numero > hasta}
        self._seguidas += len(self._confirmadas) - len(sueltas)
        self._confirmadas = sueltas
        return Avance(self.numero, hasta, self._seguidas, self._publicadas)

    def anotado(self, avance: Avance) -> None:
        """Ese avance ya está en la base de datos."""
        self._anotado = avance
