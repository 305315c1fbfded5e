"""Los problemas: de una excepción a una respuesta `application/problem+json` (RFC 9457).

Qué es: qué código HTTP, qué `type` y qué frase corresponden a cada excepción que puede lanzar cualquier ruta.
Qué no es: un registro; lo inesperado lo anota quien lo captura, con su traza, y aquí solo sale un 500
sin nombres internos.
Por qué existe: quien integra lee siempre la misma forma de error, en español, y nunca su propio dato
repetido.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from alpespartners.api.http.descripcion import Contestacion, Esquema
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.modulos.claves.dominio.clave import Alcance
from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS, CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio import excepciones
from alpespartners.modulos.tracking.dominio.excepciones import Fallo
from alpespartners.seedwork.json_estricto import JsonIlegible

TIPO_DE_PROBLEMA: Final = "application/problem+json"
PREFIJO_DE_TIPO: Final = "urn:alpespartners:error:"
SEGUNDOS_PARA_REINTENTAR: Final = 5
LONGITUD_MAXIMA_DE_UN_NOMBRE: Final = 128
"""Caracteres de un nombre de campo que se devuelven: una clave puede medir lo que el cuerpo entero."""

REINTENTO: Final[Mapping[str, Esquema]] = {
    "Retry-After": {"description": "Segundos.", "required": True, "schema": {"type": "integer"}}
}


class Problema(msgspec.Struct):
    """RFC 9457."""

    type: Annotated[str, Meta(pattern=f"^{PREFIJO_DE_TIPO}[a-z_]+$")]
    title: str
    status: int
    detail: str


CodigoEscrito = Annotated[str, Meta(extra_json_schema={"enum": [*CODIGOS]})]
"""El código de una falta, de los que hay."""


class Falta(msgspec.Struct, forbid_unknown_fields=True):
    """Lo que un campo incumple."""

    campo: str
    codigo: CodigoEscrito
    mensaje: str


class DatosInvalidos(Problema):
    """Hay datos que no son válidos."""

    errores: Annotated[
        list[Falta],
        Meta(
            min_length=1,
            description=(
                "Todas las faltas a la vez; nunca el valor recibido, salvo las dos lecturas de un "
                "`valor_ambiguo`."
            ),
        ),
    ]


class SinPermiso(Problema):
    """La clave no deja hacer lo que se pide."""

    alcance: Annotated[
        Alcance | UnsetType, Meta(description="Para qué debería haberse hecho, si es lo que le falta.")
    ] = UNSET
    errores: Annotated[
        list[Falta] | UnsetType, Meta(description="Lo que no se le deja hacer, si lo demás sí.")
    ] = UNSET


class ErrorHTTP(Exception):
    """Un error que ya se sabe cómo contar: estado HTTP, código estable, título y detalle en español.

    Los `extras` son los campos propios de su `forma` (`errores`, `id`).
    """

    def __init__(
        self,
        estado: int,
        codigo: str,
        titulo: str,
        detalle: str,
        *,
        cabeceras: Mapping[str, str] | None = None,
        forma: type[Problema] = Problema,
        **extras: Any,
    ) -> None:
        super().__init__(detalle)
        self.problema = forma(
            type=PREFIJO_DE_TIPO + codigo, title=titulo, status=estado, detail=detalle, **extras
        )
        self.cabeceras = cabeceras

    @property
    def codigo(self) -> str:
        """El código estable, sin el prefijo de su `type`."""
        return self.problema.type.removeprefix(PREFIJO_DE_TIPO)

    @property
    def estado(self) -> int:
        """El código HTTP."""
        return self.problema.status

    def respuesta(self) -> Response:
        """La respuesta HTTP que lo cuenta."""
        return RespuestaJSON(self.problema, self.estado, self.cabeceras, TIPO_DE_PROBLEMA)


def error_de(excepcion: Exception) -> ErrorHTTP:
    """Devuelve el error que corresponde a cualquier excepción; lo desconocido es un 500."""
    match excepcion:
        case ErrorHTTP():
            error = excepcion
        case excepciones.DatosInvalidos():
            error = datos_invalidos(excepcion.fallos)
        case JsonIlegible():
            error = ErrorHTTP(400, "json_ilegible", "JSON ilegible", str(excepcion))
        case BaseDatosNoDisponible():
            error = ErrorHTTP(
                503,
                "base_de_datos_no_disponible",
                "Base de datos no disponible",
                "Las consultas no están disponibles ahora mismo; los envíos se siguen aceptando.",
                cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
            )
        case _:
            error = ErrorHTTP(
                500,
                "error_interno",
                "Error interno",
                "Algo falló en el servicio; ya quedó anotado en su registro.",
            )
    return error


def no_encontrado() -> ErrorHTTP:
    """No hay nada en esa dirección: ni ruta ni evento."""
    return ErrorHTTP(404, "no_encontrado", "No encontrado", "No hay nada en esta dirección.")


def datos_invalidos(fallos: Iterable[Fallo], cabeceras: Mapping[str, str] | None = None) -> ErrorHTTP:
    """Todas las faltas a la vez, sin añadir a ninguna el valor que la cometió; si una es de permiso, 403."""
    fallos = list(fallos)
    errores = [Falta(nombre_seguro(fallo.campo), fallo.codigo, fallo.mensaje) for fallo in fallos]
    if any(fallo.codigo is CodigoDePeticion.SIN_PERMISO for fallo in fallos):
        return sin_permiso("La clave no deja hacer esto con esa campaña.", cabeceras, errores=errores)
    detalle = "Un dato no es válido." if len(errores) == 1 else f"{len(errores)} datos no son válidos."
    return ErrorHTTP(
        422,
        "datos_invalidos",
        "Datos no válidos",
        detalle,
        cabeceras=cabeceras,
        forma=DatosInvalidos,
        errores=errores,
    )


def sin_permiso(detalle: str, cabeceras: Mapping[str, str] | None = None, **extras: Any) -> ErrorHTTP:
    """La clave vale, y no para esto. Los `extras` son los campos de `SinPermiso`."""
    return ErrorHTTP(
        403, "sin_permiso", "Sin permiso", detalle, cabeceras=cabeceras, forma=SinPermiso, **extras
    )


def nombre_seguro(nombre: str) -> str:
    """Un nombre que escribió el cliente, recortado y sin sustitutos sueltos, que no caben en UTF-8."""
    recortado = nombre[:LONGITUD_MAXIMA_DE_UN_NOMBRE]
    if len(nombre) > LONGITUD_MAXIMA_DE_UN_NOMBRE:
        recortado += "…"
    return recortado.encode("utf-8", "backslashreplace").decode("utf-8")


def contestacion_de_error(
    componente: str,
    descripcion: str,
    *ejemplos: ErrorHTTP,
    cabeceras: Mapping[str, Esquema] | None = None,
) -> Contestacion:
    """Cómo se describe una respuesta de error: con los errores que puede traer, y la forma de cada uno.

    De los que comparten código se enseña el primero.
    """
    por_codigo: dict[str, object] = {}
    for error in ejemplos:
        por_codigo.setdefault(error.codigo, error.problema)
    return Contestacion(
        descripcion=descripcion,
        formas=tuple(dict.fromkeys(type(error.problema) for error in ejemplos)),
        ejemplos=por_codigo,
        tipo=TIPO_DE_PROBLEMA,
        cabeceras=cabeceras or {},
        componente=componente,
    )


NO_ENCONTRADO: Final = contestacion_de_error("404", "No hay nada en esa dirección.", no_encontrado())
NO_VALIDO: Final = contestacion_de_error(
    "422",
    "Hay datos no válidos; se dicen todos.",
    datos_invalidos(
        [Fallo("limit", CodigoDePeticion.PARAMETRO_DESCONOCIDO, "no es un parámetro; los que hay: ninguno")]
    ),
)
SIN_BASE_DE_DATOS: Final = contestacion_de_error(
    "503_base_de_datos",
    "La base de datos no responde.",
    error_de(BaseDatosNoDisponible()),
    cabeceras=REINTENTO,
)
