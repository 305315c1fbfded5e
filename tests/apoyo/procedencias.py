"""Un lector de procedencias que dice lo que la prueba quiere, y lecturas de ejemplo."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle

from alpespartners.modulos.informes.aplicacion.puertos import DE_LOS_DIAS, DE_PROCEDENCIA, Dimension
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic, Lectura, señales_ajenas
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento

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
            recibidas=señales_ajenas(señales),
        )


LECTURAS_QUE_SE_CUENTAN = (
    None,
    Lectura(reglas="1"),
    Lectura(reglas="1", bot=True, señales=("agente_de_robot",)),
    *(Lectura(reglas="1", bot=clase is ClaseDeClic.BOT, clase=clase.value) for clase in ClaseDeClic),
    Lectura(reglas="1", bot=True, clase=ClaseDeClic.INVALIDO.value),
)
"""Una por cada manera de contarse; la clase solo la tiene un clic."""


def lectura_contable(contenido: Contenido, cual: int) -> Lectura | None:
    """La que hace ese número de ellas; de lo que no es un clic, sin su clase."""
    lectura = LECTURAS_QUE_SE_CUENTAN[cual % len(LECTURAS_QUE_SE_CUENTAN)]
    if lectura is None or getattr(contenido, "tipo_evento", None) is TipoEvento.CLIC:
        return lectura
    return replace(lectura, clase=None)


class LectorPorAgente:
    """Lee de cada procedencia una de esas, según su agente, que es un número; cumple el puerto `Lector`."""

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        del señales
        agente = contenido.metadatos.user_agent or ""
        leida = lectura_contable(contenido, int(agente) if agente.isdecimal() else 0)
        return leida or Lectura(reglas="1")


LECTURAS_DE_PROCEDENCIAS = (
    Lectura(reglas="1", red="instagram", dispositivo="movil", pais="CO", clase="UNICO"),
    Lectura(reglas="1", red="google", dispositivo="escritorio"),
    Lectura(reglas="1", red="instagram", pais="ES", bot=True, señales=("agente_de_robot", "precarga")),
    Lectura(reglas="1", bot=True, señales=("de_centro_de_datos",), clase="BOT"),
    Lectura(reglas="1", bot=True),
    Lectura(reglas="1", señales=("precarga",)),
)
"""Con todas las procedencias, con algunas y sin ninguna; de robots y de quien no lo es."""


class LectorPorTurnos:
    """Lee de cada procedencia la siguiente de esas; cumple el puerto `Lector`."""

    def __init__(self) -> None:
        self._turnos = cycle(LECTURAS_DE_PROCEDENCIAS)

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        del contenido, señales
        return next(self._turnos)


def que_se_admiten(por: Sequence[Dimension]) -> list[Dimension]:
    """De esas dimensiones, si hay procedencias, la primera de ellas y lo que se puede pedir a la vez."""
    procedencias = [dimension for dimension in por if dimension in DE_PROCEDENCIA]
    sobran = {*procedencias[1:], *(DE_LOS_DIAS if procedencias else ())}
    return [dimension for dimension in por if dimension not in sobran]
