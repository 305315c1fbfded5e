"""Lo que se responde de muchos eventos: el resultado de cada uno, en su orden, y cuántos hay de cada suerte.

Qué es: las formas de la respuesta, y de la suerte o el desenlace de cada uno a la suya.
Qué no es: quién recibe los eventos ni quién espera en qué acaban (`tandas.py`, `lotes.py`).
"""

from collections.abc import Collection, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from alpespartners.api.http.descripcion import CuerpoDescrito
from alpespartners.api.http.preferencias import Preferencias
from alpespartners.api.http.problemas import (
    SEGUNDOS_PARA_REINTENTAR,
    CodigoEscrito,
    Falta,
    Problema,
    nombre_seguro,
)
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.tracking.ejemplos import COMANDO, ID
from alpespartners.api.tracking.presentacion import Advertencias, Campos, Cuenta, Difieren, Frase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.conflictos import lo_visible
from alpespartners.modulos.tracking.aplicacion.esperas import Asentado, Desenlace
from alpespartners.modulos.tracking.aplicacion.recepcion import Aceptada, NoValida, Suerte
from alpespartners.modulos.tracking.dominio.destinos import Rechazada

FALTAS_MAXIMAS: Final = 64
"""Las que se dicen de un elemento: uno hostil puede tener miles."""

Indice = Annotated[int, Meta(ge=0, description="Su lugar en lo enviado; el primero es el 0.")]
ComandoId = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class ElementoAceptado(CuerpoDescrito, tag_field="estado", tag="ACEPTADA"):
    """El broker ya guardó este."""

    indice: Indice
    id: str
    comando_id: ComandoId
    advertencias: Advertencias


class ElementoRegistrado(CuerpoDescrito, tag_field="estado", tag="REGISTRADA"):
    """Con `Prefer: wait`: este quedó registrado."""

    indice: Indice
    id: str
    comando_id: ComandoId
    advertencias: Advertencias


class ElementoDuplicado(CuerpoDescrito, tag_field="estado", tag="DUPLICADA"):
    """Con `Prefer: wait`: este ya estaba registrado con el mismo contenido."""

    indice: Indice
    id: str
    comando_id: ComandoId
    advertencias: Advertencias
    original: Annotated[str, Meta(description="El comando que lo registró.")]
    difieren: Difieren


class ElementoRechazado(CuerpoDescrito, tag_field="estado", tag="RECHAZADA"):
    """Este no vale; lo demás sigue.

    Lo que va detrás de `errores` solo está si el broker lo guardó y, con `Prefer: wait`, se supo que no se
    pudo registrar.
    """

    indice: Indice
    errores: Annotated[
        list[Falta], Meta(min_length=1, description=f"Sus faltas, como mucho {FALTAS_MAXIMAS}.")
    ]
    id: str | UnsetType = UNSET
    comando_id: ComandoId | UnsetType = UNSET
    motivo: Annotated[
        CodigoEscrito | UnsetType | None, Meta(description="`null` si el mensaje no se pudo descifrar.")
    ] = UNSET
    detalle: Frase | UnsetType = UNSET
    campos: Campos | UnsetType = UNSET


class ElementoSinConfirmar(CuerpoDescrito, tag_field="estado", tag="SIN_CONFIRMAR"):
    """De este no se sabe: puede que el broker lo guardara y puede que no."""

    indice: Indice
    id: Annotated[str, Meta(description="Repetirlo con este `id` es seguro.")]


Elemento = (
    ElementoAceptado | ElementoRegistrado | ElementoDuplicado | ElementoRechazado | ElementoSinConfirmar
)


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

    aceptados: Annotated[Cuenta, Meta(description="Los que el broker guardó y no se sabe rechazados.")]
    rechazados: Cuenta
    sin_confirmar: Cuenta
    resultados: list[Elemento]


class LoteInterrumpido(Problema):
    """El cuerpo dejó de leerse; de lo leído hasta ahí se recibió cada elemento, y aquí está qué fue de él."""

    aceptados: Cuenta
    rechazados: Cuenta
    sin_confirmar: Cuenta
    resultados: list[Elemento]


def contado(elementos: Sequence[Elemento]) -> dict[str, Any]:
    """Los elementos y cuántos hay de cada suerte: los campos de `LoteRecibido`."""
    rechazados = sum(isinstance(elemento, ElementoRechazado) for elemento in elementos)
    sin_confirmar = sum(isinstance(elemento, ElementoSinConfirmar) for elemento in elementos)
    return {
        "aceptados": len(elementos) - rechazados - sin_confirmar,
        "rechazados": rechazados,
        "sin_confirmar": sin_confirmar,
        "resultados": elementos,
    }


def respuesta_de_lote(
    elementos: Sequence[Elemento], preferidas: Preferencias, *, se_espero: bool
) -> Response:
    """200 con cada resultado; 503, con lo mismo, si no se confirmó ninguno de los que valen."""
    recibido = LoteRecibido(**contado(elementos))
    if recibido.sin_confirmar and not any(map(_se_confirmo, elementos)):
        cabeceras = {"Retry-After": str(SEGUNDOS_PARA_REINTENTAR), **preferidas.aplicadas(espera=False)}
        return RespuestaJSON(recibido, HTTPStatus.SERVICE_UNAVAILABLE, cabeceras)
    return RespuestaJSON(recibido, headers=preferidas.aplicadas(espera=se_espero))


def _se_confirmo(elemento: Elemento) -> bool:
    """Si lo guardó el broker, aunque después se rechazara."""
    return not isinstance(elemento, ElementoSinConfirmar) and elemento.comando_id is not UNSET


def resultado(indice: int, suerte: Suerte) -> Elemento:
    """El de un elemento recibido."""
    if isinstance(suerte, NoValida):
        return ElementoRechazado(
            indice,
            [
                Falta(nombre_seguro(fallo.campo), fallo.codigo, fallo.mensaje)
                for fallo in islice(suerte.fallos, FALTAS_MAXIMAS)
            ],
        )
    id_evento = suerte.comando.id or ""
    if isinstance(suerte, Aceptada):
        return ElementoAceptado(indice, id_evento, suerte.comando_id, suerte.comando.advertencias)
    return ElementoSinConfirmar(indice, id_evento)


def decidido(aceptado: ElementoAceptado, desenlace: Desenlace, campañas: Collection[str] | None) -> Elemento:
    """El de un elemento del que se sabe en qué acabó, para quien solo ve esas campañas (`None`, todas)."""
    indice, id_evento, comando_id = aceptado.indice, aceptado.id, aceptado.comando_id
    if isinstance(desenlace, Asentado):
        if desenlace.es_nuevo:
            return ElementoRegistrado(indice, id_evento, comando_id, aceptado.advertencias)
        return ElementoDuplicado(
            indice,
            id_evento,
            comando_id,
            aceptado.advertencias,
            desenlace.evento.comando_id,
            desenlace.difieren,
        )
    desenlace = lo_visible(desenlace, campañas)
    motivo, campos = (desenlace.motivo, desenlace.campos) if isinstance(desenlace, Rechazada) else (None, ())
    return ElementoRechazado(
        indice,
        [
            Falta(campo, motivo or CodigoDePeticion.ELEMENTO_ILEGIBLE, desenlace.detalle)
            for campo in campos or ("",)
        ],
        id=id_evento,
        comando_id=comando_id,
        motivo=motivo,
        detalle=desenlace.detalle,
        campos=campos,
    )
