"""Turnos: cuántos pueden estar a la vez en algo, y menos cuantos más pasen con prisa.

Qué es: sitios que se toman y se sueltan en un bucle de asyncio, y una cola por orden de llegada.
Qué no es: un cerrojo, ni una cola para quien tiene prisa, que pasa o sabe enseguida que no.
Por qué existe: cada vuelta del bucle atiende todo lo que está listo, y quien espera una página espera la
vuelta entera: cuantos menos se admitan a la vez, más corta es.
"""

import asyncio
from collections import OrderedDict


class Turnos:
    """Los de un proceso. Solo se usan desde su bucle.

    Args:
        sitios: los que hay; otros tantos, aparte, para quien tiene prisa.
        compartidos: los que hay para todos mientras pasa alguien con prisa.
        reservados: los que entonces quedan, haya cuantos haya con prisa. Con uno basta para que nadie espere
            sin fin.
    """

    def __init__(self, sitios: int, compartidos: int, reservados: int) -> None:
        self._sitios = sitios
        self._compartidos = min(sitios, compartidos)
        self._reservados = min(sitios, reservados)
        self._ocupados = 0
        self._con_prisa = 0
        self._cola: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    def tomar_si_hay(self) -> bool:
        """Toma un sitio, si lo hay; dice si lo tomó. Mientras alguien lo espera, no lo hay."""
        if not self._hay():
            return False
        self._ocupados += 1
        return True

    async def tomar(self) -> None:
        """Vuelve con un sitio tomado; a quien deja de esperarlo no se le guarda."""
        if self.tomar_si_hay():
            return
        espera = asyncio.get_running_loop().create_future()
        self._cola[espera] = None
        try:
            await espera
        except asyncio.CancelledError:
            if espera.cancelled():
                self._cola.pop(espera, None)
            else:
                # Se le dio a la vez que se iba.
                self.soltar()
            raise

    def soltar(self) -> None:
        """Deja el sitio, que pasa a quien más lleva esperando."""
        self._ocupados -= 1
        self._repartir()

    def pasar(self) -> bool:
        """Pasa con prisa, sin esperar a nadie; dice si pasó, que es siempre salvo si son ya demasiados."""
        if self._con_prisa >= self._sitios:
            return False
        self._con_prisa += 1
        return True

    def salir(self) -> None:
        """Acaba quien pasó con prisa."""
        self._con_prisa -= 1
        self._repartir()

    def _hay(self) -> bool:
        if not self._con_prisa:
            return self._ocupados < self._sitios
        return self._ocupados < max(self._reservados, self._compartidos - self._con_prisa)

    def _repartir(self) -> None:
        while self._cola and self._hay():
            espera, _ = self._cola.popitem(last=False)
            if not espera.done():
                self._ocupados += 1
                espera.set_result(None)
