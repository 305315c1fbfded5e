"""Si las cifras llevan lo que parece de un robot.

Qué no es: qué parece de un robot; eso lo dijo su lectura al registrarlo.
Por qué existe: un robot se guarda y se cuenta aparte. Quien pregunta dice si lo quiere dentro.
"""

from enum import StrEnum


class Bots(StrEnum):
    """Qué se hace con lo de clase `BOT`."""

    INCLUIR = "incluir"
    EXCLUIR = "excluir"
