"""El anillo: lo último que se publicó, de todas las campañas, para todos los que miran.

Qué es: una memoria acotada en eventos y en octetos, con una tira por campaña. Cada espectador lleva solo el
ordinal por el que va en la de la suya: ninguno tiene una cola propia que llenar.
Qué no es: asíncrono; de despertar a quien mira se ocupa la difusión.
Por qué existe: así ocupa lo mismo un espectador que quinientos, y el que no lee no estorba a nadie: lo que el
anillo olvida antes de que lo lea se le cuenta, porque los ordinales son seguidos.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import islice
from typing import Final

from alpespartners.modulos.tracking.aplicacion.en_vivo.posiciones import PRINCIPIO, Lugar, Marca, Posiciones
from alpespartners.modulos.tracking.aplicacion.en_vivo.publicado import Publicado

EVENTOS_MAXIMOS: Final = 10_000
OCTETOS_MAXIMOS: Final = 32 * 1024 * 1024


class Guardado:
    """Un evento del anillo y lo que ha visto quien lo haya leído todo hasta él, incluido."""

    __slots__ = ("_dicho", "_marca", "posiciones", "publicado")

    def __init__(self, publicado: Publicado, posiciones: Posiciones) -> None:
        self.publicado = publicado
        self.posiciones = posiciones
        self._dicho: bytes | None = None
        self._marca: Marca | None = None

    def marca(self, visto: Posiciones, dar: Callable[[], Marca]) -> Marca:
        """La de quien con él lo ha visto todo hasta ahí: la misma para todos los que van a la par."""
        if self._marca is None or self._marca.posiciones != visto:
            self._marca = dar()
        return self._marca

    def dicho(self, decir: Callable[[Publicado], bytes]) -> bytes:
        """Cómo se dice; se prepara una vez, lo vean los que lo vean."""
        if self._dicho is None:
            self._dicho = decir(self.publicado)
        return self._dicho


class Tira:
    """Los eventos de una campaña que están en el anillo, numerados seguidos."""

    def __init__(self) -> None:
        self.primero = 0
        self._guardados: deque[Guardado] = deque()

    @property
    def siguiente(self) -> int:
        """El ordinal que tendrá el próximo que llegue."""
        return self.primero + len(self._guardados)

    def desde(self, ordinal: int, cuantos: int) -> list[Guardado]:
        """Como mucho tantos, a partir de ese ordinal, que no se ha olvidado."""
        salto = ordinal - self.primero
        return list(islice(self._guardados, salto, salto + cuantos))

    def agregar(self, guardado: Guardado) -> None:
        """Añade uno detrás de todos."""
        self._guardados.append(guardado)

    def anteponer(self, guardado: Guardado) -> None:
        """Añade uno delante de todos."""
        self._guardados.appendleft(guardado)
        self.primero -= 1

    def olvidar_el_primero(self) -> None:
        """Quita el más antiguo."""
        self._guardados.popleft()
        self.primero += 1


class Anillo:
    """Lo último publicado.

    Args:
        maximo: cuántos eventos caben.
        maximo_octetos: cuánto pueden ocupar sus cargas, que es más o menos lo que ocupan ellos.
    """

    def __init__(self, maximo: int = EVENTOS_MAXIMOS, maximo_octetos: int = OCTETOS_MAXIMOS) -> None:
        self.maximo = maximo
        self._maximo_octetos = maximo_octetos
        self._guardados: deque[Guardado] = deque()
        self._octetos = 0
        self._tiras: dict[str, Tira] = {}
        self._presentes: set[tuple[str, str]] = set()
        self._desde: dict[str, Lugar] = {}
        self._ultimas: Posiciones = {}

    @property
    def desde(self) -> Posiciones:
        """Lo que había visto quien empezara a leer por el primero: de ahí en adelante está todo."""
        return self._desde

    @property
    def ultimas(self) -> Posiciones:
        """Hasta dónde se ha recibido de cada canal."""
        return self._ultimas

    @property
    def libre(self) -> tuple[int, int]:
        """Cuántos eventos caben todavía, y cuántos octetos."""
        return self.maximo - len(self._guardados), self._maximo_octetos - self._octetos

    def situar(self, posiciones: Posiciones) -> None:
        """Empieza justo después de ahí; de los canales que ya tenía no cambia nada."""
        self._desde = {**posiciones, **self._desde}
        self._ultimas = {**posiciones, **self._ultimas}

    def tira(self, campaña_id: str) -> Tira:
        """La de esa campaña, que si está vacía nace ahora."""
        return self._tiras.setdefault(campaña_id, Tira())

    def soltar(self, campaña_id: str) -> None:
        """Nadie mira ya esa campaña: su tira dura lo que duren sus eventos."""
        tira = self._tiras.get(campaña_id)
        if tira is not None and tira.primero == tira.siguiente:
            del self._tiras[campaña_id]

    def cubre(self, posiciones: Posiciones) -> bool:
        """Dice si está todo lo que le falta a quien ha visto hasta ahí."""
        return all(posiciones.get(canal, PRINCIPIO) >= lugar for canal, lugar in self._desde.items())

    def agregar(self, publicados: Iterable[Publicado], mirando: Container[str]) -> set[str]:
        """Añade lo recibido y devuelve de qué campañas había algo nuevo.

        Un evento publicado otra vez, mientras la primera siga aquí, no se añade. Las tiras que se quedan
        vacías se olvidan, salvo las de las campañas que alguien está mirando.
        """
        nuevas = set()
        for publicado in publicados:
            self._ultimas = {**self._ultimas, publicado.canal: publicado.lugar}
            if publicado.campaña_id is None or self._repetido(publicado):
                continue
            guardado = Guardado(publicado, self._ultimas)
            self._guardados.append(guardado)
            self._octetos += publicado.octetos
            self.tira(publicado.campaña_id).agregar(guardado)
            nuevas.add(publicado.campaña_id)
        while len(self._guardados) > self.maximo or self._octetos > self._maximo_octetos:
            self._olvidar_el_primero(mirando)
        return nuevas

    def anteponer(self, desde: Posiciones, publicados: Sequence[Publicado]) -> bool:
        """Pone delante lo que hay entre ahí y el primero; dice si cupo, y si no, no cambia nada."""
        eventos, octetos = self.libre
        if len(publicados) > eventos or sum(publicado.octetos for publicado in publicados) > octetos:
            return False
        guardados: list[tuple[str, Guardado]] = []
        posiciones = desde
        for publicado in publicados:
            posiciones = {**posiciones, publicado.canal: publicado.lugar}
            if publicado.campaña_id is not None and not self._repetido(publicado):
                guardados.append((publicado.campaña_id, Guardado(publicado, posiciones)))
                self._octetos += publicado.octetos
        for campaña_id, guardado in reversed(guardados):
            self._guardados.appendleft(guardado)
            self.tira(campaña_id).anteponer(guardado)
        self._desde = {canal: min(lugar, desde.get(canal, PRINCIPIO)) for canal, lugar in self._desde.items()}
        return True

    def _repetido(self, publicado: Publicado) -> bool:
        """Dice si ya está, y si no, lo apunta; de lo que no se pudo leer no se sabe."""
        if publicado.evento is None:
            return False
        identidad = publicado.clase.nombre, publicado.evento.id
        esta = identidad in self._presentes
        self._presentes.add(identidad)
        return esta

    def _olvidar_el_primero(self, mirando: Container[str]) -> None:
        publicado = self._guardados.popleft().publicado
        self._octetos -= publicado.octetos
        self._desde[publicado.canal] = publicado.lugar
        if publicado.evento is not None:
            self._presentes.discard((publicado.clase.nombre, publicado.evento.id))
        if publicado.campaña_id is not None:
            self._tiras[publicado.campaña_id].olvidar_el_primero()
            if publicado.campaña_id not in mirando:
                self.soltar(publicado.campaña_id)
