"""Un lector de procedencias que dice lo que la prueba quiere, y lecturas de ejemplo."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.lectura import Lectura

LECTURA = Lectura(
    reglas="1/de-prueba",
    navegador="Chrome Mobile",
    sistema="Android",
    dispositivo="movil",
    aplicacion="Instagram",
    red="instagram",
    pais="CO",
    bot=True,
    señales=("agente_de_robot", "referrer_de_spam"),
    recibidas=("visita_repetida",),
    clase="BOT",
)
"""Una con todo."""


@dataclass
class LectorDePrueba:
    """Lee el agente como navegador, con las reglas que se le pongan; cumple el puerto `Lector`."""

    reglas: str = "1"
    robots: set[str] = field(default_factory=set)
    leidos: int = 0

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        self.leidos += 1
        agente = contenido.metadatos.user_agent
        bot = agente in self.robots
        return Lectura(
            reglas=self.reglas,
            navegador=agente,
            bot=bot,
            señales=("agente_de_robot",) if bot else (),
            recibidas=tuple(señales),
        )
