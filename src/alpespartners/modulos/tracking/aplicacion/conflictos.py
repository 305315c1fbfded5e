"""El conflicto de un `id`: qué se dice de él, y a quién.

Qué es: la frase, y lo que de ella puede ver quien solo ve unas campañas.
Qué no es: cuándo lo hay, que lo decide el manejador.
Por qué existe: los `id` son un solo espacio. En qué se parece un envío a lo que otra campaña registró con ese
`id` es de la otra, y quien prueba valores no debe poder adivinarlo.
"""

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from alpespartners.modulos.tracking.dominio.destinos import Destino, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo

D = TypeVar("D", bound=Destino)

_CAMPAÑA: Final = "campaña_id"
_UN_SOLO_ESPACIO: Final = (
    "Todas las campañas y todos los que envían comparten los id: si es otro evento, anteponga al suyo algo "
    "propio, como tienda-1001"
)


def conflicto(difieren: Sequence[str]) -> Rechazada:
    """El de un `id` que ya existe, y cuyo contenido difiere en esos campos."""
    return Rechazada(
        Codigo.CONFLICTO_DE_ID,
        f"ya existe ese id con otro contenido; difieren: {', '.join(difieren)}. {_UN_SOLO_ESPACIO}",
        tuple(difieren),
    )


def lo_visible(destino: D, campañas: Collection[str] | None) -> D | Rechazada:
    """Ese destino, visto por quien solo ve esas campañas; `None`, todas.

    Un conflicto con otra campaña solo dice que lo es, aunque también se vea esa: un destino no dice cuál era.
    """
    if campañas is None or not isinstance(destino, Rechazada):
        return destino
    es_de_otra = destino.motivo is Codigo.CONFLICTO_DE_ID and _CAMPAÑA in destino.campos
    return conflicto((_CAMPAÑA,)) if es_de_otra else destino
