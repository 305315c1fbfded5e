"""Las claves vistas desde la puerta: qué deja hacer cada una.

Qué es: lo que quien atiende una petición necesita saber de la clave con que llegó.
Qué no es: dónde se guardan ni cómo se crean (`modulos/claves`), ni quién exige una (`acceso.py`).
"""

from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import Request

from alpespartners.modulos.claves.dominio.clave import Alcance, Dialecto
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo
from alpespartners.seedwork.cubo import Cubo

__all__ = ["Alcance", "Clave", "Dialecto", "Llavero"]

TODOS_LOS_ALCANCES: Final = frozenset(Alcance)
_CLAVE: Final = "clave"
_LLAVERO: Final = "llavero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clave:
    """Una clave que vale ahora.

    Attributes:
        alcances: para qué se hizo.
        dialecto: el único con que se puede enviar con ella; `None`, el propio.
        permiso: lo que deja enviar, y de qué campañas deja leer.
        identidad: cómo se llama; `None`, si no es de las guardadas.
        limite: eventos por segundo, los que sean los procesos; `None`, los que quiera.
        cubo: lo que le queda de ese límite en este proceso.
        origenes: los de las páginas en que vale, si es de las públicas.
        hasta: cuándo acaba la sesión con que se entró, en segundos de la época; `None`, no se entró con una.
    """

    alcances: frozenset[Alcance] = TODOS_LOS_ALCANCES
    dialecto: Dialecto | None = None
    permiso: Permiso = SIN_LIMITES
    identidad: str | None = None
    limite: int | None = None
    cubo: Cubo | None = None
    origenes: frozenset[str] = frozenset()
    hasta: int | None = None


SIN_CLAVE: Final = Clave()
"""La de quien entra sin ninguna, donde no se piden: puede todo."""


class Llavero(Protocol):
    """Las claves de un servicio."""

    @property
    def se_conoce(self) -> bool:
        """Dice si se sabe qué claves hay; si no, no se pueden leer desde que empezó el proceso."""

    @property
    def piden(self) -> bool:
        """Dice si el servicio pide clave: hay alguna, o la hubo."""

    @property
    def al_dia(self) -> bool:
        """Dice si se puede comprobar una clave sin esperar a `ponerse_al_dia`."""

    async def ponerse_al_dia(self) -> None:
        """Espera a que se lean, o a saber que no se puede."""

    def hay_de(self, dialecto: Dialecto | None) -> bool:
        """Dice si alguna se hizo para ese dialecto; `None` es el propio."""

    def abrir(self, presentada: str) -> Clave | None:
        """La clave que es ese texto; `None` si no es ninguna, o ya no vale."""

    @property
    def hay_publicas(self) -> bool:
        """Dice si alguna de las que valen ahora es de las que se ven en una página."""

    def abrir_publica(self, presentada: str) -> Clave | None:
        """La pública que es ese texto; `None` si no es ninguna, o ya no vale."""

    def admite_origen(self, origen: str) -> bool:
        """Dice si alguna pública vale en las páginas de ese origen."""

    def sesion_de(self, clave: Clave) -> str:
        """El texto de una sesión, que empieza ahora, de quien presentó esa clave."""

    def abrir_sesion(self, sesion: str) -> Clave | None:
        """La clave con que empezó esa sesión; `None` si no es ninguna, o la una o la otra ya no valen."""

    def vale(self, clave: Clave) -> bool:
        """Dice si esa, que se abrió antes, sigue valiendo."""


def poner_llavero(peticion: Request, llavero: Llavero) -> None:
    """Deja en la petición las claves del servicio."""
    peticion.scope[_LLAVERO] = llavero


def llavero_de(peticion: Request) -> Llavero:
    """Las claves del servicio que atiende la petición."""
    llavero: Llavero = peticion.scope[_LLAVERO]
    return llavero


def poner_clave(peticion: Request, clave: Clave) -> None:
    """Deja en la petición la clave con que se la admitió."""
    peticion.scope[_CLAVE] = clave


def clave_de(peticion: Request) -> Clave:
    """La clave con que se admitió la petición; si no se pedía, una que puede todo."""
    clave: Clave = peticion.scope.get(_CLAVE, SIN_CLAVE)
    return clave


def permiso_de(peticion: Request) -> Permiso:
    """Lo que la clave de la petición deja hacer con los eventos."""
    return clave_de(peticion).permiso


def sigue_valiendo(peticion: Request) -> bool:
    """Dice si la clave de la petición aún vale: lo que se lee durante horas no sobrevive a su clave.

    No traer ninguna vale mientras no se pidan.
    """
    llavero = llavero_de(peticion)
    clave: Clave | None = peticion.scope.get(_CLAVE)
    return not llavero.piden if clave is None else llavero.vale(clave)


def puede_leer(peticion: Request, campaña_id: str) -> bool:
    """Dice si la clave de la petición deja leer lo de esa campaña."""
    campañas = permiso_de(peticion).campañas
    return campañas is None or campaña_id in campañas


def exigir_campaña(peticion: Request, campaña_id: str | None) -> None:
    """No hace nada si lo que se pide, que es de esa campaña o de todas (`None`), se puede leer.

    Raises:
        DatosInvalidos: la clave de la petición es de otras campañas.
    """
    campañas = permiso_de(peticion).campañas
    if campañas is None or campaña_id in campañas:
        return
    falta = (
        "esta clave solo lee sus campañas: diga de cuál con campaña_id"
        if campaña_id is None
        else "esta clave no vale para esta campaña"
    )
    raise DatosInvalidos([Fallo("campaña_id", CodigoDePeticion.SIN_PERMISO, falta)])
