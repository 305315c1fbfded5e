"""`POST /tracking/lotes`: muchos eventos en una petición, con un resultado por cada uno.

Qué es: de una lista JSON, o de un JSON por línea, a la suerte de cada elemento.
Qué no es: una transacción; un elemento que no vale no estorba a los demás.
Por qué existe: un programa que tiene mil eventos los envía de una vez, y sabe de cada uno qué fue.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, Final

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance, permiso_de
from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.descripcion import (
    Contestacion,
    CuerpoDescrito,
    CuerpoPedido,
    Etiqueta,
    Operacion,
)
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.problemas import SEGUNDOS_PARA_REINTENTAR, ErrorHTTP, Falta, nombre_seguro
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.tipos_de_medio import JSON, NDJSON
from alpespartners.api.http.traza import traza_de
from alpespartners.api.tracking.ejemplos import COMANDO, ID
from alpespartners.api.tracking.presentacion import Advertencias
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.recepcion import (
    Aceptada,
    Entrada,
    NoValida,
    Recepcion,
    SinConfirmar,
    Suerte,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo, Recolector
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json

RUTA: Final = "/tracking/lotes"
ELEMENTOS_MAXIMOS: Final = 1_000
LIMITES: Final = LimitesDeCuerpo(octetos=5 * 1024 * 1024, comprimidos=1024 * 1024, tipos=(JSON, NDJSON))
_CLASES: Final = {clase.nombre: clase for clase in CLASES}


class ElementoAceptado(CuerpoDescrito, tag_field="estado", tag="ACEPTADA"):
    """El broker ya guardó este."""

    indice: Annotated[int, Meta(ge=0)]
    id: str
    comando_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    advertencias: Advertencias


class ElementoRechazado(CuerpoDescrito, tag_field="estado", tag="RECHAZADA"):
    """Este no vale; lo demás sigue."""

    indice: Annotated[int, Meta(ge=0)]
    errores: list[Falta]


class ElementoSinConfirmar(CuerpoDescrito, tag_field="estado", tag="SIN_CONFIRMAR"):
    """De este no se sabe: puede que el broker lo guardara y puede que no."""

    indice: Annotated[int, Meta(ge=0)]
    id: Annotated[str, Meta(description="Repetirlo con este `id` es seguro.")]


class LoteRecibido(CuerpoDescrito):
    """El resultado de cada elemento, en su orden."""

    ejemplos = (
        {
            "aceptados": 1,
            "rechazados": 1,
            "sin_confirmar": 0,
            "resultados": [
                {"estado": "ACEPTADA", "indice": 0, "id": ID, "comando_id": COMANDO, "advertencias": []},
                {
                    "estado": "RECHAZADA",
                    "indice": 1,
                    "errores": [
                        {
                            "campo": "moneda",
                            "codigo": "requerido",
                            "mensaje": "es obligatoria si hay valor",
                        }
                    ],
                },
            ],
        },
    )

    aceptados: Annotated[int, Meta(ge=0)]
    rechazados: Annotated[int, Meta(ge=0)]
    sin_confirmar: Annotated[int, Meta(ge=0)]
    resultados: list[ElementoAceptado | ElementoRechazado | ElementoSinConfirmar]


def ruta_de_lotes(recepcion: Recepcion, segundos_de_cuerpo: float) -> RutaDescrita:
    """La de los lotes."""

    async def atender(peticion: Request) -> Response:
        recolector = Recolector()
        leer_parametros(peticion.scope["query_string"], (), recolector)
        recolector.exigir()
        cuerpo = await leer_cuerpo(peticion, segundos_de_cuerpo, LIMITES)
        elementos = list(_lineas(cuerpo) if _viene_por_lineas(peticion) else _de_la_lista(cuerpo))
        if len(elementos) > ELEMENTOS_MAXIMOS:
            raise _demasiados()
        cobrar(peticion, len(elementos))
        return _respuesta(
            await recepcion.recibir(elementos, traza=traza_de(peticion), permiso=permiso_de(peticion))
        )

    return RutaDescrita(
        plantilla=RUTA, metodo="POST", atencion=atender, alcance=Alcance.CAPTURA, operacion=_OPERACION
    )


def _viene_por_lineas(peticion: Request) -> bool:
    return cabeceras_de(peticion)[b"content-type"][0].lower().startswith(NDJSON)


def _lineas(cuerpo: bytes) -> Iterator[Entrada | NoValida]:
    """Una entrada por línea; las que están en blanco no cuentan."""
    for linea in cuerpo.splitlines():
        if not linea.strip():
            continue
        try:
            elemento = leer_json(linea)
        except JsonIlegible as ilegible:
            yield NoValida([Fallo("", CodigoDePeticion.TIPO_INCORRECTO, str(ilegible))])
        else:
            yield _entrada(elemento)


def _de_la_lista(cuerpo: bytes) -> Iterator[Entrada | NoValida]:
    lista = leer_json(cuerpo)
    if not isinstance(lista, list):
        raise JsonIlegible("El cuerpo no es una lista de eventos.")
    return map(_entrada, lista)


def _entrada(elemento: Any) -> Entrada | NoValida:
    """La de un elemento, que dice su clase entre sus campos."""
    if not isinstance(elemento, dict):
        return NoValida([Fallo("", CodigoDePeticion.TIPO_INCORRECTO, "debe ser un objeto JSON")])
    cuerpo = {nombre: valor for nombre, valor in elemento.items() if nombre != "clase"}
    nombrada = elemento.get("clase")
    if nombrada is None:
        return NoValida([Fallo("clase", Codigo.REQUERIDO, f"es obligatoria: {' o '.join(_CLASES)}")])
    clase = _CLASES.get(nombrada) if isinstance(nombrada, str) else None
    if clase is None:
        return NoValida([Fallo("clase", Codigo.VALOR_NO_PERMITIDO, f"debe ser {' o '.join(_CLASES)}")])
    return Entrada(clase, cuerpo)


def _respuesta(suertes: list[Suerte]) -> Response:
    """200 con el resultado de cada una; 503, con lo mismo, si no se confirmó ninguna de las que valen."""
    resultados = [_resultado(indice, suerte) for indice, suerte in enumerate(suertes)]
    cuantas = {tipo: sum(isinstance(suerte, tipo) for suerte in suertes) for tipo in (Aceptada, NoValida)}
    lote = LoteRecibido(
        aceptados=cuantas[Aceptada],
        rechazados=cuantas[NoValida],
        sin_confirmar=len(suertes) - sum(cuantas.values()),
        resultados=resultados,
    )
    if lote.sin_confirmar and not lote.aceptados:
        cabeceras = {"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)}
        return RespuestaJSON(lote, HTTPStatus.SERVICE_UNAVAILABLE, cabeceras)
    return RespuestaJSON(lote)


def _resultado(indice: int, suerte: Suerte) -> ElementoAceptado | ElementoRechazado | ElementoSinConfirmar:
    match suerte:
        case Aceptada(comando=comando, comando_id=comando_id):
            return ElementoAceptado(indice, comando.id or "", comando_id, comando.advertencias)
        case NoValida(fallos):
            faltas = [Falta(nombre_seguro(fallo.campo), fallo.codigo, fallo.mensaje) for fallo in fallos]
            return ElementoRechazado(indice, faltas)
        case SinConfirmar(comando=comando):
            return ElementoSinConfirmar(indice, comando.id or "")


def _demasiados() -> ErrorHTTP:
    return ErrorHTTP(
        413,
        "demasiados_elementos",
        "Demasiados elementos",
        f"Un lote lleva como mucho {ELEMENTOS_MAXIMOS} elementos.",
    )


_OPERACION: Final = Operacion(
    id="registrar_lote",
    etiqueta=Etiqueta("lotes", "Muchos eventos en una petición."),
    resumen="Registrar un lote",
    descripcion=(
        f"Hasta {ELEMENTOS_MAXIMOS} eventos: una lista JSON o, como `{NDJSON}`, uno por línea. Cada uno "
        "lleva los campos que llevaría solo y su `clase`. La respuesta dice qué fue de cada uno, en su orden."
    ),
    cuerpo=CuerpoPedido(
        nombre="NuevoLote",
        esquema={
            "type": "array",
            "maxItems": ELEMENTOS_MAXIMOS,
            "items": {
                "type": "object",
                "required": ["clase"],
                "properties": {"clase": {"enum": [*_CLASES]}},
            },
        },
        ejemplo=[{"clase": "impresion", "id": "imp-1", "campaña_id": "cmp-456"}],
        limites=LIMITES,
        otros_formatos={NDJSON: '{"clase": "impresion", "id": "imp-1", "campaña_id": "cmp-456"}\n'},
    ),
    contestaciones={
        200: Contestacion(descripcion="Qué fue de cada elemento.", formas=(LoteRecibido,)),
        503: Contestacion(
            descripcion="El broker no confirmó ninguno: repetir el lote con los mismos `id` es seguro.",
            formas=(LoteRecibido,),
        ),
    },
)
