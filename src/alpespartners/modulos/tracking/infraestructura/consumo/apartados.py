"""Apartar los mensajes que no se pudieron asentar: cuántas veces falló cada uno y hasta cuándo no se intenta.

Qué es: la memoria de los fallos de un tópico, por la clave de cada mensaje.
Por qué existe: el broker entrega otra vez lo que se le devuelve sin contar las veces ni esperar, y un mal
mensaje repetido sin pausa haría repetir a sus vecinos.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.ritmo import Ritmo
from alpespartners.seedwork.pausas import con_azar


@dataclass(frozen=True, slots=True)
class _Apartado:
    """Cuántas veces falló el programa con un mensaje, él solo, y hasta cuándo no se intenta otra."""

    fallos: int
    hasta: float


class Apartados:
    """Los mensajes apartados de un tópico.

    Args:
        ritmo: cuánto se aparta cada uno y cuánto se le recuerda.
    """

    def __init__(self, ritmo: Ritmo) -> None:
        self._ritmo = ritmo
        self._por_clave: dict[str, _Apartado] = {}

    def separar(self, lote: Iterable[Entrada]) -> tuple[list[list[Entrada]], list[Entrada]]:
        """Devuelve las tandas que se pueden intentar ya, y las entradas a las que aún no les toca.

        Los mensajes que nunca fallaron van juntos; de los apartados, cada uno en su tanda.
        """
        ahora = time.monotonic()
        juntas: list[Entrada] = []
        solas: list[list[Entrada]] = []
        aun_no: list[Entrada] = []
        for entrada in lote:
            apartado = self._por_clave.get(entrada.clave)
            if apartado is None:
                juntas.append(entrada)
            elif apartado.hasta > ahora:
                aun_no.append(entrada)
            else:
                solas.append([entrada])
        return ([juntas] if juntas else []) + solas, aun_no

    def por_un_fallo(self, entrada: Entrada) -> int:
        """Lo aparta tanto más cuantas más veces haya fallado, y devuelve cuántas van."""
        fallos = 1 + self._fallos(entrada)
        self._apartar(entrada, fallos, self._ritmo.pausas.tras(fallos))
        return fallos

    def por_esperar_a_otro(self, entrada: Entrada) -> None:
        """Lo aparta sin contarle un fallo: espera a lo que otro dejó a medias, o choca con ello."""
        self._apartar(entrada, self._fallos(entrada), self._ritmo.pausas.maxima)

    def olvidar(self, asentadas: Sequence[Entrada]) -> None:
        """Deja de recordar a los que ya se asentaron."""
        for entrada in asentadas:
            self._por_clave.pop(entrada.clave, None)

    def _apartar(self, entrada: Entrada, fallos: int, espera: float) -> None:
        """No se intenta otra vez hasta pasada la espera; olvida a los que se fueron con otro consumidor."""
        ahora = time.monotonic()
        self._por_clave = {
            clave: apartado
            for clave, apartado in self._por_clave.items()
            if apartado.hasta > ahora - self._ritmo.memoria_de_un_apartado
        }
        self._por_clave[entrada.clave] = _Apartado(fallos, ahora + con_azar(espera))

    def _fallos(self, entrada: Entrada) -> int:
        apartado = self._por_clave.get(entrada.clave)
        return 0 if apartado is None else apartado.fallos
