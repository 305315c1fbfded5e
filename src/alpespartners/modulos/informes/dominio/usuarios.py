"""Los usuarios de unos eventos: cuántos de ellos traen uno, y quiénes son.

Por qué existe: un evento sin usuario no cuenta para nadie. Sin saber cuántos lo traen, diez usuarios de mil
eventos y diez de doce parecen lo mismo.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from alpespartners.modulos.informes.dominio.unicos import VACIO, Boceto, Unicos, unicos, unidos


@dataclass(frozen=True, slots=True)
class Usuarios:
    """Los de un conjunto de eventos.

    Attributes:
        eventos: cuántos traen usuario; se suma.
        boceto: quiénes son; se une.
    """

    eventos: int = 0
    boceto: Boceto = VACIO

    @classmethod
    def juntos(cls, todos: Collection[Self]) -> Self:
        """Los de todos esos eventos, que no se repiten.

        Raises:
            BocetoIlegible: otra mano cambió un boceto.
        """
        return cls(sum(unos.eventos for unos in todos), unidos(unos.boceto for unos in todos))

    @property
    def distintos(self) -> Unicos:
        """Cuántos usuarios son.

        Raises:
            BocetoIlegible: otra mano cambió el boceto.
        """
        return unicos(self.boceto)
