"""Cuánto puede pedir una dirección a lo que se pide sin clave.

Qué es: un cubo por dirección, de las que pidieron algo hace menos.
Qué no es: el límite de una clave, que es de quien la tiene, pida desde donde pida (`acceso.py`).
Por qué existe: a una ruta abierta llega cualquiera. Que uno pida sin parar no debe costarles nada a los
demás, ni que pidan muchos, memoria sin fin.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.seedwork.cubo import SEGUNDOS_DE_RAFAGA, Cubo

DIRECCIONES_MAXIMAS: Final = 65_536
"""Las que se recuerdan en un proceso, en unos 20 MiB."""

_BITS_DE_UNA_RED: Final = 64
"""Los que no cuentan de una IPv6: con una /64 se le da a un hogar, que puede usar todas sus direcciones."""


class LimitePorDireccion:
    """El de un proceso. Solo se usa desde su bucle.

    Args:
        por_segundo: peticiones de una dirección (en IPv6, de una /64); `None`, las que quiera.
        rafaga: las de cuántos segundos se admiten seguidas.
        maximo_de_direcciones: cuántas se recuerdan; de la que hace más que no pide se olvida lo gastado.
        partes: entre cuántos procesos se reparte.
        cronometro: nanosegundos de un reloj que no retrocede.
    """

    def __init__(
        self,
        por_segundo: int | None,
        rafaga: int = SEGUNDOS_DE_RAFAGA,
        maximo_de_direcciones: int = DIRECCIONES_MAXIMAS,
        *,
        partes: int = 1,
        cronometro: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._por_segundo = por_segundo
        self._rafaga = rafaga
        self._maximo = maximo_de_direcciones
        self._partes = partes
        self._cronometro = cronometro
        self._cubos: OrderedDict[str | int, Cubo] = OrderedDict()

    def exigir(self, direccion: str | None) -> None:
        """Cobra una petición a esa dirección (`Visitante.origen`); de la que no se sabe, no hay a quién.

        Raises:
            ErrorHTTP: 429 con `Retry-After`, gastó las suyas.
        """
        if direccion is None or self._por_segundo is None:
            return
        cubo = self._cubo_de(_quien(direccion), self._por_segundo)
        ahora = self._cronometro()
        falta = cubo.falta(ahora)
        if falta:
            raise demasiadas_peticiones(falta)
        cubo.cobrar(1, ahora)

    def _cubo_de(self, quien: str | int, por_segundo: int) -> Cubo:
        cubo = self._cubos.get(quien)
        if cubo is None:
            if len(self._cubos) >= self._maximo:
                self._cubos.popitem(last=False)
            cubo = self._cubos[quien] = Cubo(por_segundo, self._partes, self._rafaga)
        else:
            self._cubos.move_to_end(quien)
        return cubo


def demasiadas_peticiones(falta: int) -> ErrorHTTP:
    """Esa dirección gastó las suyas; volverá a tener al cabo de esos segundos."""
    return ErrorHTTP(
        429,
        "demasiadas_peticiones",
        "Demasiadas peticiones",
        f"Desde su dirección llegan más peticiones de las que se admiten. Vuelva a intentarlo en {falta} s.",
        cabeceras={"Retry-After": str(falta)},
    )


def _quien(direccion: str) -> str | int:
    if ":" not in direccion:
        return direccion
    return int(ipaddress.IPv6Address(direccion)) >> _BITS_DE_UNA_RED
