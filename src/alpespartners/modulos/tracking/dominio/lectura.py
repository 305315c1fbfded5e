"""La lectura de una procedencia: lo que se deduce de desde dónde y con qué llegó alguien.

Qué es: navegador, sistema, dispositivo, red y país, si parece un robot y por qué, y la clase de un clic; con
la versión de las reglas que lo dicen.
Qué no es: lo que dijo el cliente (`contenido.py`): no decide el dinero ni si dos envíos son el mismo. Tampoco
un motivo para no registrar: un robot se guarda, se señala y se cuenta aparte.
Por qué existe: se juzga una vez, al registrar, y se guarda con el evento: un informe de hoy dirá mañana lo
mismo, y si las reglas mejoran se sabe con cuáles se leyó cada uno.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

NO_EVALUADA: Final = "NO_EVALUADA"
"""La señal de que un paso de la lectura falló: lo que le tocaba decir no se sabe."""

EN_LA_PAGINA: Final = "en_la_pagina"
"""La señal de que lo hizo la propia página: `referrer` es ella, y no de dónde se llegó."""
PRECARGA: Final = "precarga"
"""La señal de que el navegador preparaba una página que quizá nadie llegó a ver."""
PROCEDENCIA: Final = "procedencia"
"""La propiedad en que una página dice de dónde se llegó a ella."""
PROCEDENCIA_DEL_CLIC: Final = "procedencia_del_clic"
"""La señal de que de dónde y con qué llegó lo dice la lectura de su clic. Solo la pone quien registra."""

_CODIGO: Final = re.compile("[a-z0-9_]{1,64}")
_MAXIMO_DE_SEÑALES: Final = 16


class ClaseDeClic(StrEnum):
    """Qué vale un clic. De las que le caben, la primera."""

    INVALIDO = "INVALIDO"
    BOT = "BOT"
    REPETIDO = "REPETIDO"
    UNICO = "UNICO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lectura:
    """Lo que se leyó de una procedencia; lo que no se sabe es `None`.

    Attributes:
        reglas: con qué reglas y datos se leyó.
        navegador: su familia, sin versión: `Chrome Mobile`.
        sistema: su familia, sin versión: `Android`.
        dispositivo: `movil`, `tableta`, `escritorio`, `tv` u `otro`.
        aplicacion: la que lo abrió en su propio navegador: `Instagram`.
        red: de dónde venía: `instagram`, `google`, `directo`, `otra`…
        pais: el de su dirección, aproximado (ISO 3166-1 alfa-2).
        bot: si alguna de las señales dice que es un robot.
        señales: los códigos de lo que se halló.
        recibidas: los de lo que supo quien lo recibió, que no se deducen de nada que se guarde; y, si es así,
            el de que su procedencia es la de su clic.
        clase: la de un clic; de lo demás, `None`.
    """

    reglas: str
    navegador: str | None = None
    sistema: str | None = None
    dispositivo: str | None = None
    aplicacion: str | None = None
    red: str | None = None
    pais: str | None = None
    bot: bool = False
    señales: tuple[str, ...] = ()
    recibidas: tuple[str, ...] = ()
    clase: str | None = None

    @property
    def clase_de_trafico(self) -> str | None:
        """La clase con que se cuenta: la de un clic; de lo demás, `BOT` si es de un robot."""
        return self.clase or (ClaseDeClic.BOT.value if self.bot else None)

    @property
    def robot(self) -> str | None:
        """La primera de las señales que dicen que es un robot."""
        return self.señales[0] if self.bot and self.señales else None

    def con_la_procedencia_de(self, clic: "Lectura") -> "Lectura":
        """La misma, con la procedencia de ese clic; si es de un robot, y por qué, sigue siendo lo suyo."""
        return replace(
            self,
            navegador=clic.navegador,
            sistema=clic.sistema,
            dispositivo=clic.dispositivo,
            aplicacion=clic.aplicacion,
            red=clic.red,
            pais=clic.pais,
            recibidas=(*self.recibidas, PROCEDENCIA_DEL_CLIC),
        )


def señales_ajenas(señales: Sequence[str]) -> tuple[str, ...]:
    """Las de un comando que son códigos, una vez cada una y hasta dieciséis.

    Un comando lo publica cualquiera, y puede decir en ellas lo que quiera, salvo `PROCEDENCIA_DEL_CLIC`.
    """
    primeras = señales[: 4 * _MAXIMO_DE_SEÑALES]
    codigos = dict.fromkeys(señal for señal in primeras if _CODIGO.fullmatch(señal))
    codigos.pop(PROCEDENCIA_DEL_CLIC, None)
    return tuple(codigos)[:_MAXIMO_DE_SEÑALES]
