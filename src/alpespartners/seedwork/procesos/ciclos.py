"""La búsqueda de ciclos de memoria, menos a menudo, en un proceso que atiende muchas veces lo mismo.

Por qué existe: peticiones y lotes son objetos sin ciclos, y buscarlos cada 700 era un octavo de la CPU.
"""

import gc
from typing import Final

_OBJETOS_ENTRE_BUSQUEDAS: Final = 50_000


def buscar_menos_ciclos() -> None:
    """Deja fuera de la búsqueda lo que ya hay, y busca en lo demás cada cincuenta mil objetos."""
    gc.freeze()
    gc.set_threshold(_OBJETOS_ENTRE_BUSQUEDAS)
