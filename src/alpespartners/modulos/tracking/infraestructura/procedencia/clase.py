"""La clase de un clic: si vale, y si es el primero de quien lo hizo.

Qué es: un paso puro de la lectura, con las señales de quien recibió el clic y el veredicto de robot.
Qué no es: quien sabe si alguien ya hizo clic: eso lo dice la redirección, con su galleta. Un clic que llega
por otra puerta sin decirlo es, si vale, `UNICO`.
Por qué existe: las redes de afiliación cuentan aparte los únicos, los repetidos y los que no valen.
"""

from collections.abc import Collection
from typing import Final

from alpespartners.modulos.tracking.dominio.lectura import PRECARGA, ClaseDeClic

# Una página que el navegador prepara por si acaso no es un clic de nadie.
_DE_NO_VALER: Final = frozenset({"enlace_vencido", PRECARGA})
_DE_REPETIDO: Final = frozenset({"visita_repetida"})


def clase_de_clic(recibidas: Collection[str], *, bot: bool) -> ClaseDeClic:
    """La clase de un clic del que quien lo recibió dijo eso."""
    if not _DE_NO_VALER.isdisjoint(recibidas):
        return ClaseDeClic.INVALIDO
    if bot:
        return ClaseDeClic.BOT
    return ClaseDeClic.UNICO if _DE_REPETIDO.isdisjoint(recibidas) else ClaseDeClic.REPETIDO
