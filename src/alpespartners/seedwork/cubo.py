"""Un cubo de fichas: cuánto se puede gastar seguido, y a qué ritmo vuelve.

Qué es: se admite mientras quede algo, y lo que costó se cobra entero, aunque sea más de lo que quedaba: las
deudas se pagan esperando. Así cabe un lote mayor que el cubo.
Qué no es: un reloj; el instante lo da quien llama. Ni un cerrojo: se usa desde un solo hilo.
Por qué existe: un límite que cuenta por segundos deja pasar el doble entre el final de uno y el principio del
siguiente, y no sabe decir cuánto falta.

No guarda fichas sino el instante en que volvería a estar lleno, en nanosegundos enteros: no hay nada que
redondear ni que rellenar.
"""

from typing import Final

_SEGUNDO: Final = 1_000_000_000
SEGUNDOS_DE_RAFAGA: Final = 2
"""A cuántos segundos de su ritmo equivale lleno, si no se dice."""


class Cubo:
    """El de alguien.

    Args:
        por_segundo: su ritmo, en eventos.
        partes: entre cuántos cubos iguales se reparte ese ritmo.
        rafaga: a cuántos segundos de su ritmo equivale lleno.
    """

    __slots__ = ("_lleno_en", "_por_evento", "_rafaga")

    def __init__(self, por_segundo: int, partes: int = 1, rafaga: int = SEGUNDOS_DE_RAFAGA) -> None:
        # Hacia arriba: nunca da más de lo que se dijo.
        self._por_evento = -(-_SEGUNDO * partes // por_segundo)
        self._rafaga = rafaga
        self._lleno_en = 0

    def falta(self, ahora: int) -> int:
        """Segundos, por exceso, hasta que se admita otro; 0 si se admite ya.

        Args:
            ahora: en nanosegundos, de un reloj que no retrocede.
        """
        gastado = self._lleno_en - ahora
        return max(0, gastado // _SEGUNDO + 1 - self._rafaga)

    def cobrar(self, eventos: int, ahora: int) -> None:
        """Gasta lo que costaron esos eventos, haya o no con qué."""
        self._lleno_en = max(self._lleno_en, ahora) + eventos * self._por_evento
