"""Reparto de peticiones entre los puntos de entrada, por la ruta cruda.

Qué es: una tabla de plantillas (`/tracking/impresiones/{id}`) y la función que atiende cada método.
Qué no es: el encaminador de Starlette, que decodifica la ruta antes de partirla y así convierte el
identificador `FV%2F2024%2F001` en tres segmentos.
Por qué existe: los identificadores son de la gente y llevan barras, porcentajes y eñes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPMethod
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from alpespartners.api.http.claves import Alcance, Dialecto
from alpespartners.api.http.descripcion import Operacion
from alpespartners.api.http.problemas import ErrorHTTP, no_encontrado
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador_consultable

Atencion = Callable[[Request], Awaitable[Response]]
"""Atiende una petición; los segmentos variables, decodificados, están en `path_params`."""
AlFallar = Callable[[Request, ErrorHTTP], Response]
"""Cuenta un error a quien hizo la petición; no lanza."""

VARIABLE: Final = "{"
_SIN_VARIABLES: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruta:
    """Una plantilla con un método y quién lo atiende; `HEAD` acompaña siempre a `GET`.

    Attributes:
        alcance: para qué ha de haberse hecho la clave con que se pide; `None`, no se mira ninguna.
        tambien: para qué más ha de haberse hecho; `None`, para nada más.
        sin_clave: si además se puede pedir sin ninguna: lo que leen las sondas, que no las tienen.
        dialecto: el de las claves con que se pide. Si no es el propio (`None`), la clave va donde él la pone,
            y quien atiende la abre y llama a `admitir` antes de nada.
        juzga_campañas: si quien atiende no da a una clave lo que no es de sus campañas. Si no lo hace, ni su
            plantilla dice de cuál es, una clave con campañas no puede leerla.
        al_fallar: cómo se cuenta lo que impide atenderla; `None`, como un problema (RFC 9457).
    """

    plantilla: str
    metodo: Literal["GET", "POST", "PATCH", "OPTIONS"]
    atencion: Atencion
    alcance: Alcance | None
    tambien: Alcance | None = None
    sin_clave: bool = False
    dialecto: Dialecto | None = None
    juzga_campañas: bool = False
    al_fallar: AlFallar | None = None

    @property
    def admite_sesion(self) -> bool:
        """Dice si vale la sesión de una persona en lugar de la clave: para leer, y en los formularios."""
        return self.metodo == HTTPMethod.GET or self.al_fallar is not None

    @property
    def abierta(self) -> bool:
        """Dice si se puede pedir sin clave, aunque las haya."""
        return self.alcance is None or self.sin_clave


@dataclass(frozen=True, slots=True, kw_only=True)
class RutaDescrita(Ruta):
    """Una ruta de las que la documentación describe."""

    operacion: Operacion


@dataclass(frozen=True, slots=True)
class Direccion:
    """Una plantilla y la ruta de cada uno de sus métodos."""

    plantilla: str
    rutas: dict[str, Ruta]

    @property
    def abierta(self) -> bool:
        """Dice si se puede pedir sin clave, se pida como se pida."""
        return all(ruta.abierta for ruta in self.rutas.values())

    @property
    def dialecto(self) -> Dialecto | None:
        """El de las claves con que se pide; `None`, el propio."""
        return next((ruta.dialecto for ruta in self.rutas.values()), None)

    @property
    def al_fallar(self) -> AlFallar | None:
        """Cómo se cuenta lo que impide atenderla, se pida como se pida."""
        return next((ruta.al_fallar for ruta in self.rutas.values()), None)

    def atencion(self, metodo: str) -> Atencion:
        """Devuelve quién atiende ese método; `ErrorHTTP` 405 con `Allow` si nadie."""
        ruta = self.rutas.get(metodo)
        if ruta is None:
            permitidos = ", ".join(self.rutas)
            raise ErrorHTTP(
                405,
                "metodo_no_permitido",
                "Método no permitido",
                f"Esta dirección solo admite {permitidos}.",
                cabeceras={"Allow": permitidos},
            )
        return ruta.atencion


class Rutas:
    """La tabla de rutas de la API."""

    def __init__(self, rutas: Iterable[Ruta]) -> None:
        direcciones: dict[str, Direccion] = {}
        for ruta in rutas:
            direccion = direcciones.setdefault(ruta.plantilla, Direccion(ruta.plantilla, {}))
            direccion.rutas[ruta.metodo] = ruta
            if ruta.metodo == HTTPMethod.GET:
                direccion.rutas[HTTPMethod.HEAD] = ruta
        todas = [(tuple(segmentos(plantilla)), direccion) for plantilla, direccion in direcciones.items()]
        self._al_fallar = {
            plantilla.split("/")[1].encode(): ruta.al_fallar
            for plantilla, direccion in direcciones.items()
            for ruta in direccion.rutas.values()
            if ruta.al_fallar is not None
        }
        self._fijas = {partes: direccion for partes, direccion in todas if not _tiene_variables(partes)}
        self._variables = [(partes, direccion) for partes, direccion in todas if _tiene_variables(partes)]

    def buscar(self, partes: Sequence[str]) -> tuple[Direccion | None, Mapping[str, str]]:
        """Devuelve la dirección de esos segmentos decodificados y los que son variables, por su nombre.

        Una variable solo la llena lo que puede ser un identificador: lo demás no existe con ningún método, y
        su dirección es `None`.
        """
        fija = self._fijas.get(tuple(partes))
        if fija is not None:
            return fija, _SIN_VARIABLES
        for plantilla, direccion in self._variables:
            if len(plantilla) == len(partes) and all(map(_encaja, plantilla, partes)):
                return direccion, {
                    esperado.strip("{}"): parte
                    for esperado, parte in zip(plantilla, partes, strict=True)
                    if _es_variable(esperado)
                }
        return None, _SIN_VARIABLES

    def al_fallar(self, ruta_cruda: bytes) -> AlFallar | None:
        """Cómo se cuenta que algo falla en esa ruta, exista o no: como en las que empiezan por lo mismo."""
        return self._al_fallar.get(ruta_cruda.removeprefix(b"/").partition(b"/")[0])


def partes_de_la_ruta(scope: Scope) -> Sequence[str]:
    """Segmentos de la ruta cruda, decodificados uno a uno (RFC 3986 §2.1) y en forma NFC.

    `/tracking/impresiones/a%2Fb` da `["tracking", "impresiones", "a/b"]`. Una barra final no cuenta: con dos,
    queda un último segmento vacío.

    Raises:
        ErrorHTTP: 404, un segmento no es UTF-8.
    """
    cruda: bytes = scope["raw_path"].removesuffix(b"/")
    try:
        if b"%" not in cruda:
            return segmentos(cruda.decode("ascii"))
        return [
            en_nfc(unquote_to_bytes(parte).decode("utf-8")) for parte in cruda.removeprefix(b"/").split(b"/")
        ]
    except UnicodeDecodeError:
        raise no_encontrado() from None


def segmentos(ruta: str) -> list[str]:
    """Los de una ruta o una plantilla."""
    return ruta.removeprefix("/").split("/")


def _tiene_variables(partes: Sequence[str]) -> bool:
    return any(map(_es_variable, partes))


def _encaja(esperado: str, parte: str) -> bool:
    return identificador_consultable(parte) is not None if _es_variable(esperado) else esperado == parte


def _es_variable(segmento: str) -> bool:
    return segmento.startswith(VARIABLE)
