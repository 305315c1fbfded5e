"""Reparto de peticiones entre los puntos de entrada, por la ruta cruda.

Qué es: una tabla de plantillas (`/tracking/impresiones/{id}`) y la función que atiende cada método.
Qué no es: el encaminador de Starlette, que decodifica la ruta antes de partirla y así convierte el
identificador `FV%2F2024%2F001` en tres segmentos.
Por qué existe: los identificadores son de la gente y llevan barras, porcentajes y eñes.
"""

import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.problemas import Problema, no_encontrado
from alpespartners.api.http.respuesta import Respuesta
from alpespartners.seedwork.asgi import Scope

Atencion = Callable[[Peticion, Sequence[str]], Awaitable[Respuesta]]
"""Atiende una petición; recibe también los segmentos variables de la ruta, decodificados, en su orden."""

VARIABLE: Final = "{"


@dataclass(frozen=True, slots=True)
class Ruta:
    """Una plantilla y quién atiende cada método. `HEAD` acompaña siempre a `GET`."""

    plantilla: str
    metodos: dict[str, Atencion]

    @property
    def permitidos(self) -> str:
        """El valor de la cabecera `Allow`."""
        return ", ".join(self.metodos)


def ruta_get(plantilla: str, atencion: Atencion) -> Ruta:
    """Ruta de solo lectura."""
    return Ruta(plantilla, {"GET": atencion, "HEAD": atencion})


def ruta_post(plantilla: str, atencion: Atencion) -> Ruta:
    """Ruta que solo admite envíos."""
    return Ruta(plantilla, {"POST": atencion})


@dataclass(frozen=True, slots=True)
class Encontrada:
    """La ruta que corresponde a una petición y sus segmentos variables."""

    ruta: Ruta
    variables: Sequence[str]


class Rutas:
    """La tabla de rutas de la API."""

    def __init__(self, rutas: Sequence[Ruta]) -> None:
        fijas = [r for r in rutas if VARIABLE not in r.plantilla]
        self._fijas = {tuple(_segmentos(r.plantilla)): Encontrada(r, ()) for r in fijas}
        self._partes_de_las_fijas = {r.plantilla.encode(): tuple(_segmentos(r.plantilla)) for r in fijas}
        self._variables = [(_segmentos(r.plantilla), r) for r in rutas if VARIABLE in r.plantilla]

    def partes(self, scope: Scope) -> Sequence[str]:
        """Lo mismo que `partes_de_la_ruta`; las direcciones de siempre no se parten cada vez."""
        return self._partes_de_las_fijas.get(scope["raw_path"]) or partes_de_la_ruta(scope)

    def buscar(self, partes: Sequence[str]) -> Encontrada:
        """Devuelve la ruta de esos segmentos decodificados; `Problema` 404 si no hay ninguna.

        Un segmento vacío no llena ninguna variable: `/tracking/impresiones/` no es la dirección de un evento.
        """
        fija = self._fijas.get(tuple(partes))
        if fija is not None:
            return fija
        for plantilla, ruta in self._variables:
            if len(plantilla) == len(partes) and all(
                (parte if esperado.startswith(VARIABLE) else esperado == parte)
                for esperado, parte in zip(plantilla, partes, strict=True)
            ):
                variables = [
                    parte
                    for esperado, parte in zip(plantilla, partes, strict=True)
                    if esperado.startswith(VARIABLE)
                ]
                return Encontrada(ruta, variables)
        raise no_encontrado()


def atencion_de(ruta: Ruta, metodo: str) -> Atencion:
    """Devuelve quién atiende ese método; `Problema` 405 con `Allow` si nadie."""
    atencion = ruta.metodos.get(metodo)
    if atencion is None:
        raise Problema(
            405,
            "metodo_no_permitido",
            "Método no permitido",
            f"Esta dirección solo admite {ruta.permitidos}.",
            cabeceras={"Allow": ruta.permitidos},
        )
    return atencion


def partes_de_la_ruta(scope: Scope) -> Sequence[str]:
    """Segmentos de la ruta cruda, decodificados uno a uno (RFC 3986 §2.1) y en forma NFC.

    `/tracking/impresiones/a%2Fb` da `["tracking", "impresiones", "a/b"]`. Una barra final deja un
    último segmento vacío.

    Raises:
        Problema: 404, un segmento no es UTF-8.
    """
    cruda: bytes = scope["raw_path"]
    try:
        if b"%" not in cruda:
            return _segmentos(cruda.decode("ascii"))
        return [
            unicodedata.normalize("NFC", unquote_to_bytes(parte).decode("utf-8"))
            for parte in cruda.removeprefix(b"/").split(b"/")
        ]
    except UnicodeDecodeError:
        raise no_encontrado() from None


def _segmentos(ruta: str) -> list[str]:
    return ruta.removeprefix("/").split("/")
