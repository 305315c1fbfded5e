"""De una excepción a una respuesta `application/problem+json` (RFC 9457).

Qué es: el único lugar que sabe qué código HTTP, qué `type` y qué frase corresponden a cada excepción.
Qué no es: un registro; lo inesperado lo anota quien lo captura, con su traza, y aquí solo sale un 500
sin nombres internos.
Por qué existe: quien integra lee siempre la misma forma de error, en español, y nunca su propio dato
repetido.
"""

from collections.abc import Iterable, Mapping

import msgspec

from alpespartners.api.http.respuesta import Respuesta
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import SinNoticias
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo
from alpespartners.seedwork.json_estricto import JsonIlegible

TIPO_DE_PROBLEMA = "application/problem+json"
PREFIJO_DE_TIPO = "urn:alpespartners:error:"
SEGUNDOS_PARA_REINTENTAR = 5
LONGITUD_MAXIMA_DE_UN_NOMBRE = 128
"""Caracteres de un nombre de campo que se devuelven: una clave puede medir lo que el cuerpo entero."""


class Problema(Exception):
    """Un error que ya se sabe cómo contar: estado HTTP, código estable, título y detalle en español.

    Los `extras` son los miembros propios de ese problema (`errores`, `id`).
    """

    def __init__(
        self,
        estado: int,
        codigo: str,
        titulo: str,
        detalle: str,
        *,
        cabeceras: Mapping[str, str] | None = None,
        **extras: object,
    ) -> None:
        super().__init__(detalle)
        self.estado = estado
        self.codigo = codigo
        self.titulo = titulo
        self.detalle = detalle
        self.cabeceras = cabeceras or {}
        self.extras = extras

    def respuesta(self) -> Respuesta:
        """La respuesta HTTP que lo cuenta."""
        cuerpo = {
            "type": PREFIJO_DE_TIPO + self.codigo,
            "title": self.titulo,
            "status": self.estado,
            "detail": self.detalle,
            **self.extras,
        }
        return Respuesta(
            msgspec.json.encode(cuerpo), self.estado, tipo=TIPO_DE_PROBLEMA, cabeceras=self.cabeceras
        )


def problema_de(excepcion: Exception) -> Problema:
    """Devuelve el problema que corresponde a cualquier excepción; lo desconocido es un 500."""
    match excepcion:
        case Problema():
            problema = excepcion
        case DatosInvalidos():
            problema = datos_invalidos(excepcion.fallos)
        case JsonIlegible():
            problema = Problema(400, "json_ilegible", "JSON ilegible", str(excepcion))
        case BaseDatosNoDisponible():
            problema = Problema(
                503,
                "base_de_datos_no_disponible",
                "Base de datos no disponible",
                "Las consultas no están disponibles ahora mismo; los envíos se siguen aceptando.",
                cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
            )
        case _:
            problema = Problema(
                500,
                "error_interno",
                "Error interno",
                "Algo falló en el servicio; ya quedó anotado en su registro.",
            )
    return problema


def no_encontrado() -> Problema:
    """No hay nada en esa dirección: ni ruta ni evento."""
    return Problema(404, "no_encontrado", "No encontrado", "No hay nada en esta dirección.")


def broker_no_disponible(id_del_evento: str | None) -> Problema:
    """El broker no confirmó a tiempo: puede que el comando llegara y puede que no."""
    return Problema(
        503,
        "broker_no_disponible",
        "Broker no disponible",
        "El broker no confirmó el envío a tiempo. Repetirlo con el mismo id es seguro.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
        id=id_del_evento,
    )


def almacenamiento_lleno(id_del_evento: str | None) -> Problema:
    """No hay sitio donde guardar el comando: puede que llegara y puede que no."""
    return Problema(
        503,
        "almacenamiento_lleno",
        "Almacenamiento lleno",
        "No queda sitio para guardar el envío. Cuando lo haya, repetirlo con el mismo id es seguro.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
        id=id_del_evento,
    )


def destino_desconocido(noticias: SinNoticias, consumidores: int | None) -> Problema:
    """De ese `id` no consta nada; lleva lo que distingue «todavía no» de «nunca llegó»."""
    return Problema(
        404,
        "destino_desconocido",
        "Destino desconocido",
        noticias.explicacion(consumidores),
        consumidores=consumidores,
        procesado_hasta=noticias.procesado_hasta,
    )


def envio_negado(destino: Rechazada | Ilegible, id_del_evento: str, comando_id: str) -> Problema:
    """El comando se aceptó y al procesarlo no se pudo registrar: 409 si el `id` ya era de otro contenido."""
    motivo, campos = (destino.motivo, destino.campos) if isinstance(destino, Rechazada) else (None, ())
    if motivo is Codigo.CONFLICTO_DE_ID:
        estado, codigo, titulo = 409, "conflicto_de_id", "Conflicto de id"
    else:
        estado, codigo, titulo = 422, "no_registrado", "No registrado"
    return Problema(
        estado,
        codigo,
        titulo,
        f"No se registró: {destino.detalle}.",
        id=id_del_evento,
        comando_id=comando_id,
        motivo=motivo,
        campos=campos,
    )


def datos_invalidos(fallos: Iterable[Fallo]) -> Problema:
    """Todas las faltas a la vez, sin el valor de ninguna."""
    errores = [{"campo": nombre_seguro(f.campo), "codigo": f.codigo, "mensaje": f.mensaje} for f in fallos]
    detalle = "Un dato no es válido." if len(errores) == 1 else f"{len(errores)} datos no son válidos."
    return Problema(422, "datos_invalidos", "Datos no válidos", detalle, errores=errores)


def nombre_seguro(nombre: str) -> str:
    """Un nombre que escribió el cliente, recortado y sin sustitutos sueltos, que no caben en UTF-8."""
    recortado = nombre[:LONGITUD_MAXIMA_DE_UN_NOMBRE]
    if len(nombre) > LONGITUD_MAXIMA_DE_UN_NOMBRE:
        recortado += "…"
    return recortado.encode("utf-8", "backslashreplace").decode("utf-8")
