"""Las direcciones del panel: dónde está cada vista.

Por qué existe: unas vistas enlazan a otras, y los identificadores, que son de la gente, llevan barras y eñes.
"""

from typing import Final
from urllib.parse import quote

CAMPAÑAS: Final = "/panel"


def direccion_de_campaña(campaña_id: str) -> str:
    """La de su vista."""
    return f"/panel/campa%C3%B1as/{quote(campaña_id, safe='')}"
