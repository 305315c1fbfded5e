"""Los problemas de los eventos: un broker que no confirma, un envío no registrado, un `id` desconocido."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from alpespartners.api.http.preferencias import preferencias_aplicadas
from alpespartners.api.http.problemas import (
    REINTENTO,
    SEGUNDOS_PARA_REINTENTAR,
    ErrorHTTP,
    Problema,
    contestacion_de_error,
    datos_invalidos,
    no_encontrado,
)
from alpespartners.api.tracking import ejemplos
from alpespartners.api.tracking.presentacion import (
    CampañaEnviada,
    Campos,
    Cuenta,
    InfluencerEnviado,
    MotivoEscrito,
    ProcesadoHasta,
)
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import SinNoticias
from alpespartners.modulos.tracking.dominio.destinos import Ignorada, Ilegible, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo


class EnvioNegado(Problema):
    """Un envío aceptado que al procesarlo no se pudo registrar."""

    id: str
    comando_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    motivo: Annotated[MotivoEscrito | None, Meta(description="`null` si el mensaje no se pudo descifrar.")]
    campos: Campos
    campaña_id: CampañaEnviada
    influencer_id: InfluencerEnviado


class EventoNoEncontrado(Problema):
    """No hay un evento registrado con ese `id`: todavía no, o no se registró."""

    destino: Annotated[str, Meta(description="Dónde se cuenta qué fue de ese `id`.")]


class DestinoDesconocido(Problema):
    """De un `id` no consta nada; lo demás, que falta si no puede existir, separa «todavía no» de «nunca»."""

    consumidores: Annotated[
        Cuenta | UnsetType | None, Meta(description="Cuántos viven ahora; `null` si no se pudo averiguar.")
    ] = UNSET
    procesado_hasta: ProcesadoHasta | UnsetType = UNSET


class BrokerNoDisponible(Problema):
    """El envío no se confirmó: puede que se guardara y puede que no."""

    id: Annotated[str, Meta(description="Repetir con este `id` es seguro.")]


def evento_no_encontrado(destino: str) -> ErrorHTTP:
    """No hay un evento registrado con ese `id`; qué fue de él lo dice esa dirección."""
    return ErrorHTTP(
        404,
        "no_encontrado",
        "No encontrado",
        "No hay un evento registrado con ese id. Qué fue de él, si llegó, se pregunta en la dirección que "
        "viene en «destino».",
        forma=EventoNoEncontrado,
        destino=destino,
    )


def broker_no_disponible(id_del_evento: str | None) -> ErrorHTTP:
    """El broker no confirmó a tiempo: puede que el comando llegara y puede que no."""
    return ErrorHTTP(
        503,
        "broker_no_disponible",
        "Broker no disponible",
        "El broker no confirmó el envío a tiempo. Repetirlo con el mismo id es seguro.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
        forma=BrokerNoDisponible,
        id=id_del_evento,
    )


def almacenamiento_lleno(id_del_evento: str | None) -> ErrorHTTP:
    """No hay sitio donde guardar el comando: puede que llegara y puede que no."""
    return ErrorHTTP(
        503,
        "almacenamiento_lleno",
        "Almacenamiento lleno",
        "No queda sitio para guardar el envío. Cuando lo haya, repetirlo con el mismo id es seguro.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
        forma=BrokerNoDisponible,
        id=id_del_evento,
    )


def destino_desconocido(noticias: SinNoticias, consumidores: int | None) -> ErrorHTTP:
    """De ese `id` no consta nada; lleva lo que distingue «todavía no» de «nunca llegó»."""
    return ErrorHTTP(
        404,
        "destino_desconocido",
        "Destino desconocido",
        noticias.explicacion(consumidores),
        forma=DestinoDesconocido,
        consumidores=consumidores,
        procesado_hasta=noticias.procesado_hasta,
    )


def envio_negado(
    destino: Rechazada | Ignorada | Ilegible,
    *,
    evento_id: str,
    comando_id: str,
    campaña_id: str | None,
    influencer_id: str | None,
) -> ErrorHTTP:
    """El comando se aceptó y al procesarlo no se pudo registrar: 409 si el `id` ya era de otro contenido."""
    motivo = None if isinstance(destino, Ilegible) else destino.motivo
    campos = destino.campos if isinstance(destino, Rechazada) else ()
    if motivo is Codigo.CONFLICTO_DE_ID:
        estado, codigo, titulo = 409, "conflicto_de_id", "Conflicto de id"
    else:
        estado, codigo, titulo = 422, "no_registrado", "No registrado"
    return ErrorHTTP(
        estado,
        codigo,
        titulo,
        f"No se registró: {destino.detalle}.",
        forma=EnvioNegado,
        id=evento_id,
        comando_id=comando_id,
        motivo=motivo,
        campos=campos,
        campaña_id=campaña_id,
        influencer_id=influencer_id,
    )


SIN_BROKER: Final = contestacion_de_error(
    "503_broker",
    "El broker no confirmó a tiempo. Repetir con el `id` que viene aquí es seguro.",
    broker_no_disponible(ejemplos.ID),
    almacenamiento_lleno(ejemplos.ID),
    cabeceras=REINTENTO,
)
SIN_EVENTO: Final = contestacion_de_error(
    "404_evento",
    "No hay un evento registrado con ese `id`, o no puede haberlo.",
    evento_no_encontrado(f"{ejemplos.DIRECCION}/destino"),
    no_encontrado(),
)
SIN_DESTINO: Final = contestacion_de_error(
    "404_destino",
    "No consta nada de ese `id`: todavía no, nunca llegó, o no puede existir.",
    destino_desconocido(SinNoticias(procesado_hasta=datetime(2024, 1, 15, 10, 36, tzinfo=UTC)), 1),
    no_encontrado(),
)
_NEGADO: Final[Mapping[str, str]] = {
    "evento_id": ejemplos.ID,
    "comando_id": ejemplos.COMANDO,
    "campaña_id": ejemplos.CAMPAÑA,
    "influencer_id": ejemplos.INFLUENCER,
}
EN_CONFLICTO: Final = contestacion_de_error(
    "409",
    "Con `Prefer: wait`: ese `id` ya está registrado con otro contenido.",
    envio_negado(
        Rechazada(Codigo.CONFLICTO_DE_ID, "ya existe ese id con otro contenido; difieren: valor", ("valor",)),
        **_NEGADO,
    ),
    cabeceras=preferencias_aplicadas(),
)
NO_VALIDO_O_NEGADO: Final = contestacion_de_error(
    "422_envio",
    "Hay datos no válidos; se dicen todos. O, con `Prefer: wait`, el envío se aceptó y no se pudo registrar.",
    datos_invalidos([Fallo("moneda", Codigo.REQUERIDO, "es obligatoria cuando hay valor")]),
    envio_negado(Ilegible("el mensaje no se pudo descifrar"), **_NEGADO),
    cabeceras=preferencias_aplicadas(obligatoria=False),
)
