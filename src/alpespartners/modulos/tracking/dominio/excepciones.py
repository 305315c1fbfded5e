"""Las faltas que el dominio encuentra en unos datos.

Qué es: el vocabulario con el que una regla dice «este campo no vale, por esto».
Qué no es: un error de infraestructura; esos son excepciones de los puertos de `aplicacion`.
Por qué existe: quien envía un evento debe leer todas sus faltas a la vez, cada una con su
campo y un código estable, y nunca ver repetido el valor que envió (podría ser un dato personal).

    ValueError
    ├── CampoInvalido      una regla, un campo
    └── DatosInvalidos     todas las faltas de unos datos
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, TypeVarTuple

A = TypeVarTuple("A")
T = TypeVar("T")

MAXIMO_ADVERTENCIAS = 64
_FALTAN = "advertencias_de_mas"


class CodigoDeFalta(StrEnum):
    """Un código estable. Cada capa enumera los suyos, cada uno contado y probado."""


class Codigo(CodigoDeFalta):
    """Las faltas a una regla del dominio."""

    REQUERIDO = "requerido"
    LONGITUD_EXCEDIDA = "longitud_excedida"
    CARACTER_DE_CONTROL = "caracter_de_control"
    ESPACIO_EN_LOS_EXTREMOS = "espacio_en_los_extremos"
    SUSTITUTO_SUELTO = "sustituto_suelto"
    ID_NO_DIRECCIONABLE = "id_no_direccionable"
    VALOR_NO_PERMITIDO = "valor_no_permitido"
    VALOR_ILEGIBLE = "valor_ilegible"
    VALOR_NEGATIVO = "valor_negativo"
    VALOR_DEMASIADO_GRANDE = "valor_demasiado_grande"
    DEMASIADOS_DECIMALES = "demasiados_decimales"
    MONEDA_DESCONOCIDA = "moneda_desconocida"
    TIMESTAMP_ILEGIBLE = "timestamp_ilegible"
    CAMPO_REPETIDO = "campo_repetido"
    CONFLICTO_DE_ID = "conflicto_de_id"


@dataclass(frozen=True, slots=True)
class Fallo:
    """Una falta: el campo como lo escribe el cliente, un código estable y una frase en español."""

    campo: str
    codigo: CodigoDeFalta
    mensaje: str


class CampoInvalido(ValueError):
    """Un campo incumple su regla."""

    def __init__(self, campo: str, codigo: CodigoDeFalta, mensaje: str) -> None:
        super().__init__(f"{campo}: {mensaje}")
        self.fallo = Fallo(campo, codigo, mensaje)


class DatosInvalidos(ValueError):
    """Unos datos incumplen una o más reglas; las lleva todas."""

    def __init__(self, fallos: Iterable[Fallo]) -> None:
        self.fallos = tuple(fallos)
        super().__init__("; ".join(f"{fallo.campo}: {fallo.mensaje}" for fallo in self.fallos))


@dataclass(slots=True)
class Recolector:
    """Reúne faltas para decirlas todas juntas, y avisos sobre lo que se reparó o descartó.

    Un cuerpo hostil trae miles de campos: cada anotación cuesta lo mismo por muchas que haya.
    """

    _fallos: dict[str, Fallo] = field(default_factory=dict)
    _avisos: dict[str, None] = field(default_factory=dict)

    @property
    def fallos(self) -> list[Fallo]:
        """Las faltas, en el orden en que se anotaron."""
        return list(self._fallos.values())

    @property
    def avisos(self) -> list[str]:
        """Los avisos, en el orden en que se anotaron y como mucho 64.

        De más quedan los primeros y el de que faltan, y antes que ninguno los que no dicen `:campo`: de esos
        hay pocos, y no deben perderse entre los de mil campos desconocidos.
        """
        if len(self._avisos) <= MAXIMO_ADVERTENCIAS:
            return list(self._avisos)
        avisos = sorted((a for a in self._avisos if a != _FALTAN), key=lambda aviso: ":" in aviso)
        return [*avisos[: MAXIMO_ADVERTENCIAS - 1], _FALTAN]

    @property
    def sobran_avisos(self) -> bool:
        """Dice si hay más de los que caben: otro que diga `:campo` ya no saldría en `avisos`."""
        return len(self._avisos) > MAXIMO_ADVERTENCIAS

    def intentar(self, regla: Callable[[*A], T], *args: *A) -> T | None:
        """Aplica una regla; si el campo la incumple anota la falta y devuelve `None`."""
        try:
            return regla(*args)
        except CampoInvalido as invalido:
            fallo = invalido.fallo
            self.anotar(fallo.campo, fallo.codigo, fallo.mensaje)
            return None

    def anotar(self, campo: str, codigo: CodigoDeFalta, mensaje: str, *, nombre: str = "") -> None:
        """Anota una falta, si el campo no tiene ya otra: la primera es la que explica las demás.

        `nombre` es cómo se le dice ese campo a quien lo envió, si no es tal cual.
        """
        if campo not in self._fallos:
            self._fallos[campo] = Fallo(nombre or campo, codigo, mensaje)

    def tiene(self, campo: str) -> bool:
        """Dice si ese campo tiene ya una falta."""
        return campo in self._fallos

    def avisar(self, *avisos: str) -> None:
        """Anota avisos, cada uno una sola vez y en el orden en que llegan."""
        self._avisos.update(dict.fromkeys(avisos))

    def exigir(self) -> None:
        """Lanza `DatosInvalidos` con todas las faltas, si hubo alguna."""
        if self._fallos:
            raise DatosInvalidos(self.fallos)
