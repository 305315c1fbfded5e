"""La descripción OpenAPI 3.1 del servicio, compuesta con lo que cada ruta dice de sí misma.

Qué es: el documento entero. Las rutas salen de la tabla de rutas; los esquemas de lo que se responde, de las
clases con que se responde; y lo que cualquiera puede contestar (el acceso, los parámetros, el cuerpo), de
quien lo comprueba.
Qué no es: una fuente de validación.
Por qué existe: quien integra debe poder confiar en ella; una prueba la confronta con el servicio.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

import msgspec

from alpespartners import __version__
from alpespartners.api.http.acceso import NEGATIVAS
from alpespartners.api.http.cuerpo import faltas_del_cuerpo
from alpespartners.api.http.descripcion import (
    Contestacion,
    CuerpoDescrito,
    CuerpoPedido,
    Etiqueta,
    Parametro,
)
from alpespartners.api.http.problemas import NO_VALIDO
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.http.rutas import Ruta, RutaDescrita
from alpespartners.seedwork.orden import ORDEN

_ESQUEMAS: Final = "#/components/schemas/"
_RESPUESTAS: Final = "#/components/responses/"


def descripcion(rutas: Sequence[RutaDescrita]) -> dict[str, object]:
    """Devuelve el documento OpenAPI de esas rutas, listo para codificarse en JSON."""
    todas = list(chain.from_iterable(_contestaciones(ruta).values() for ruta in rutas))
    formas = list(dict.fromkeys(chain.from_iterable(contestacion.formas for contestacion in todas)))
    esquema_de, esquemas = _esquemas(formas)
    pedidos = [ruta.operacion.cuerpo for ruta in rutas if ruta.operacion.cuerpo is not None]
    paths: dict[str, dict[str, object]] = {}
    for ruta in rutas:
        paths.setdefault(ruta.plantilla, {})[ruta.metodo.lower()] = _operacion(ruta, esquema_de)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alpes Partners · Tracking",
            "version": __version__,
            "description": (
                "Registro de impresiones y conversiones de campañas.\n\n"
                "Un 202 es una promesa: el comando ya está a salvo en el broker y se registrará una sola "
                "vez. El `id` del cliente es la clave de idempotencia: repetir un envío **con el mismo "
                "`id`** es seguro. **Un cliente que no envía `id` y no recibe respuesta no puede repetir "
                "con seguridad**: no sabe qué `id` se asignó, y el segundo envío sería otro evento."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": _etiquetas(ruta.operacion.etiqueta for ruta in rutas),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "clave": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        f"Una clave de las que crea `{ORDEN} claves crear`, con el alcance que cada "
                        "operación dice, o una de `ALPES_CLAVES_API`, que valen para todo. Mientras no haya "
                        "ninguna no se pide, y solo se atiende a la propia máquina."
                    ),
                }
            },
            "schemas": {**{pedido.nombre: _con_tipos(pedido.esquema) for pedido in pedidos}, **esquemas},
            "responses": {
                contestacion.componente: _respuesta(contestacion, esquema_de)
                for contestacion in todas
                if contestacion.componente is not None
            },
        },
    }


def _contestaciones(ruta: RutaDescrita) -> dict[int, Contestacion]:
    """Todas las de una ruta, por su código; las suyas mandan sobre las que cualquiera puede dar."""
    comunes = {**NEGATIVAS, int(HTTPStatus.UNPROCESSABLE_ENTITY): NO_VALIDO}
    if ruta.abierta:
        del comunes[HTTPStatus.UNAUTHORIZED], comunes[HTTPStatus.TOO_MANY_REQUESTS]
    if ruta.operacion.cuerpo is not None:
        comunes |= faltas_del_cuerpo(ruta.operacion.cuerpo.limites)
    return dict(sorted({**comunes, **ruta.operacion.contestaciones}.items()))


def _esquemas(formas: Sequence[type]) -> tuple[Mapping[type, object], dict[str, Any]]:
    """El esquema de cada forma, y por su nombre los que comparten."""
    hechos, componentes = msgspec.json.schema_components(formas, ref_template=f"{_ESQUEMAS}{{name}}")
    for forma in formas:
        if issubclass(forma, CuerpoDescrito) and forma.ejemplos:
            componentes[forma.__name__]["examples"] = [*forma.ejemplos]
    return dict(zip(formas, map(_con_tipos, hechos), strict=True)), _con_tipos(componentes)


def _con_tipos(esquema: Any) -> Any:
    """El mismo esquema con lo que le falta: que un `Decimal` sale como número y de qué tipo es un `enum`.

    Sin su tipo, quien enseña el esquema o genera un cliente toma un `enum` por cualquier cosa.
    """
    match esquema:
        case {"format": "decimal"}:
            sin_formato = {clave: valor for clave, valor in esquema.items() if clave != "format"}
            return _con_tipos({**sin_formato, "type": "number"})
        case {"enum": [*valores]} if None in valores:
            lo_demas = {clave: valor for clave, valor in esquema.items() if clave != "enum"}
            textos = {"type": "string", "enum": [valor for valor in valores if valor is not None]}
            return {**_con_tipos_dentro(lo_demas), "anyOf": [textos, {"type": "null"}]}
        case {"enum": [*_]}:
            return {"type": "string", **_con_tipos_dentro(esquema)}
        case dict():
            return _con_tipos_dentro(esquema)
        case list() | tuple():
            return [_con_tipos(parte) for parte in esquema]
        case _:
            return esquema


def _con_tipos_dentro(esquema: Mapping[str, Any]) -> dict[str, Any]:
    """Lo mismo, en cada una de sus partes."""
    return {clave: parte if clave == "examples" else _con_tipos(parte) for clave, parte in esquema.items()}


def _etiquetas(etiquetas: Iterable[Etiqueta]) -> list[dict[str, str]]:
    return [
        _sin_ausentes({"name": etiqueta.nombre, "description": etiqueta.descripcion})
        for etiqueta in dict.fromkeys(etiquetas)
    ]


def _operacion(ruta: RutaDescrita, esquema_de: Mapping[type, object]) -> dict[str, object]:
    operacion = ruta.operacion
    return _sin_ausentes(
        {
            "tags": [operacion.etiqueta.nombre],
            "operationId": operacion.id,
            "summary": operacion.resumen,
            "description": operacion.descripcion,
            "security": None if ruta.abierta else [{"clave": _alcances(ruta)}, {}],
            "parameters": [_parametro(parametro) for parametro in operacion.parametros] or None,
            "requestBody": None if operacion.cuerpo is None else _cuerpo(operacion.cuerpo),
            "responses": {
                str(codigo): _respuesta(contestacion, esquema_de)
                if contestacion.componente is None
                else {"$ref": f"{_RESPUESTAS}{contestacion.componente}"}
                for codigo, contestacion in _contestaciones(ruta).items()
            },
        }
    )


def _alcances(ruta: Ruta) -> list[str]:
    return [alcance for alcance in (ruta.alcance, ruta.tambien) if alcance is not None]


def _parametro(parametro: Parametro) -> dict[str, object]:
    return _sin_ausentes(
        {
            "name": parametro.nombre,
            "in": parametro.lugar,
            "required": parametro.lugar == "path",
            "schema": _con_tipos(parametro.esquema),
            "description": parametro.descripcion,
            "example": parametro.ejemplo,
        }
    )


def _cuerpo(pedido: CuerpoPedido) -> dict[str, object]:
    limites = pedido.limites
    comprimido = (
        "ese límite en lo que llega y en lo que sale"
        if limites.comprimidos == limites.octetos
        else f"ese límite en lo que sale y {limites.comprimidos // 1024} KiB en lo que llega"
    )
    return {
        "required": True,
        "description": (
            f"Hasta {limites.octetos // 1024} KiB, en UTF-8. También en gzip (`Content-Encoding: gzip`), con "
            f"{comprimido}."
        ),
        "content": {
            pedido.tipo: {
                "schema": {"$ref": f"{_ESQUEMAS}{pedido.nombre}"},
                "examples": {"semilla": {"summary": "El ejemplo del módulo", "value": pedido.ejemplo}},
            },
            **{tipo: {"schema": _con_tipos(esquema)} for tipo, esquema in pedido.otros_esquemas.items()},
            **_en_texto(pedido.otros_formatos),
        },
    }


def _respuesta(contestacion: Contestacion, esquema_de: Mapping[type, object]) -> dict[str, object]:
    posibles = [esquema_de[forma] for forma in contestacion.formas]
    esquema = posibles[0] if len(posibles) == 1 else {"anyOf": posibles}
    ejemplos = {
        nombre: {"value": msgspec.json.decode(en_json(cuerpo))}
        for nombre, cuerpo in contestacion.ejemplos.items()
    }
    contenido = _sin_ausentes({"schema": esquema, "examples": ejemplos or None})
    return _sin_ausentes(
        {
            "description": contestacion.descripcion,
            "headers": contestacion.cabeceras or None,
            "content": {
                contestacion.tipo: contenido,
                **_en_texto(contestacion.otros_formatos),
            },
        }
    )


def _en_texto(formatos: Mapping[str, str]) -> dict[str, object]:
    return {
        tipo: {"schema": {"type": "string"}, "examples": {"texto": {"value": texto}}}
        for tipo, texto in formatos.items()
    }


def _sin_ausentes(campos: Mapping[str, Any]) -> dict[str, Any]:
    return {nombre: valor for nombre, valor in campos.items() if valor is not None}
