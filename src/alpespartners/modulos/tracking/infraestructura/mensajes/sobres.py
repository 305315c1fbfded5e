"""Los mensajes del módulo: propiedades CloudEvents 1.0 y carga Avro, de ida y de vuelta.

Qué es: funciones puras entre los objetos de la aplicación y lo que viaja por un tópico.
Qué no es: el cliente de Pulsar; aquí nada se publica ni se recibe.
Por qué existe: cualquier servicio puede publicar un comando, así que abrir uno no supone nada: lo que no
se puede leer se dice con un valor, nunca con una excepción, y la identidad de un comando es la misma
por muchas veces que se entregue.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

import uuid_utils

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, ClaseDeEvento, clase_de
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mensajes import (
    ComandoRecibido,
    IdentidadComando,
    MensajeDeOtraVersion,
    MensajeIlegible,
    Sobre,
)
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESCALA, ESQUEMAS, Esquema
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import (
    RegistroIlegible,
    leer_registro,
)

E = TypeVar("E", bound=EventoSeguido[Any])

MAXIMO_CARTA: Final = 5_000_000
"""Octetos de una carta muerta, carga y propiedades: por debajo de lo que admite cualquier broker (5 MiB)."""

_FUENTE = "/alpespartners/tracking"
# De aquí salen los UUIDv5 que no dependen de la época: cambiarlo daría otra identidad a lo ya publicado.
_ESPACIO = uuid_utils.UUID("6f0a3f52-3a37-5c3b-9d4e-0c8f3b1d7a65")
_OCTETOS_HUELLA = 16
_OCTETOS_DECIMAL = 16
_CE_ID_UTILIZABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

SUFIJO_CARTAS: Final = "-tracking-DLQ"
"""El nombre que Pulsar da a las cartas muertas de la suscripción `tracking`."""

PROPIEDAD_COMANDO: Final = "alpes_comando_id"
PROPIEDAD_DETALLE: Final = "alpes_detalle"
PROPIEDAD_RECORTADA: Final = "alpes_recortada"
PROPIEDAD_TOPICO: Final = "alpes_topico"
PROPIEDAD_CLAVE: Final = "alpes_clave"
PROPIEDAD_PUBLICADO: Final = "alpes_publicado_en"
"""Con ellas una carta muerta dice de qué comando es, por qué lo es, si le falta algo, cómo llegó y cuándo."""


PROPIEDADES_FIJAS: Final = {
    topico: {
        "ce_specversion": "1.0",
        "ce_source": _FUENTE,
        "ce_type": esquema.tipo,
        "ce_datacontenttype": "application/avro",
        "ce_dataschema": esquema.ce_dataschema,
    }
    for topico, esquema in ESQUEMAS.items()
}
"""Las propiedades que son siempre las mismas en un tópico."""


_CLASE_DEL_TOPICO: Final = {clase.topico: clase for clase in CLASES}
_CAMPOS_DE_COMANDO: Final = {
    clase: [campo.name.replace("ñ", "n") for campo in fields(clase.comando)] for clase in CLASES
}
"""Sus nombres en Avro, que es ASCII."""
_VALORES_DE_COMANDO: Final = {
    clase: attrgetter(*(campo.name for campo in fields(clase.comando))) for clase in CLASES
}

_CAMPOS_DE_LECTURA: Final = {campo.name: campo.name.replace("ñ", "n") for campo in fields(Lectura)}
_VALORES_DE_LECTURA: Final = attrgetter(*_CAMPOS_DE_LECTURA)
"""En el orden en que los escribe su registro Avro."""


def sobre_de_comando(comando: Comando, comando_id: str, traza: str | None) -> Sobre:
    """Prepara un comando; su clave es el `id`, que reparte una campaña viral entre los consumidores.

    Raises:
        ValueError: un texto no cabe en UTF-8 o el importe no cabe en `decimal(18,4)`; los comandos que
            pasaron por el dominio no la provocan.
    """
    clase = clase_de(comando)
    campos = dict(zip(_CAMPOS_DE_COMANDO[clase], _VALORES_DE_COMANDO[clase](comando), strict=True))
    return _sobre(clase.topico, comando.id, comando.id, campos, comando_id, comando.recibido_en, traza)


def sobre_de_evento(evento: EventoDominio[Any], traza: str | None) -> Sobre:
    """Prepara un evento de dominio; su `ce_id` es el mismo cada vez que se envíe.

    Raises:
        ValueError: un texto no cabe en UTF-8; las entidades del dominio no la provocan.
    """
    topico = clase_de(evento).topico_de_eventos
    entidad = evento.entidad
    campos = entidad.campos()
    campos["campana_id"] = campos.pop("campaña_id")
    campos["lectura"] = entidad.lectura and _VALORES_DE_LECTURA(entidad.lectura)
    return _sobre(
        topico,
        campos["campana_id"],
        entidad.id,
        campos,
        ce_id_de_evento(topico, entidad.id),
        entidad.registrado_en,
        traza,
    )


def evento_de(entidad: EventoSeguido[Any]) -> EventoDominio[Any]:
    """El evento de dominio que anuncia esa entidad."""
    return clase_de(entidad).evento(entidad)


def ce_id_de_evento(topico: str, id_evento: str) -> str:
    """El `ce_id` del evento que registra ese `id`: el mismo cada vez que se envíe."""
    return str(uuid_utils.uuid5(_ESPACIO, f"{topico}\n{id_evento}"))


def abrir_evento(clase: ClaseDeEvento[E], *, carga: bytes | None, propiedades: Mapping[str, str]) -> E | None:
    """Devuelve la entidad que lleva un evento de dominio, o `None` si no es uno de esa clase.

    No valida lo que trae: se lee lo que se registró, aunque las reglas de hoy ya no lo admitieran. La huella
    de su comando no viaja en él.

    Raises:
        EsquemaDesconocido: lo escribió una versión posterior; leerlo a medias sería perder lo demás.
    """
    try:
        campos = _campos_leidos(ESQUEMAS[clase.topico_de_eventos], carga, propiedades)
        return clase.leer(campos, huella=None)
    except (RegistroIlegible, ValueError):
        return None


def sobre_de_carta(topico: str, ilegible: MensajeIlegible) -> Sobre:
    """Prepara la carta muerta de un mensaje ilegible: sus octetos, sus propiedades y por qué.

    Un mensaje que rozara el máximo del broker ya no cabría con el porqué: se recorta, y la carta lo dice.
    """
    propias = {
        PROPIEDAD_TOPICO: topico,
        PROPIEDAD_DETALLE: ilegible.detalle,
        PROPIEDAD_COMANDO: ilegible.identidad.comando_id,
        PROPIEDAD_PUBLICADO: _rfc_3339(ilegible.publicado_en),
    }
    if ilegible.clave is not None:
        propias[PROPIEDAD_CLAVE] = ilegible.clave
    carga = ilegible.carga[:MAXIMO_CARTA]
    if len(carga) < len(ilegible.carga):
        propias[PROPIEDAD_RECORTADA] = f"la carga tenía {len(ilegible.carga)} octetos"
    propiedades: dict[str, str] = {}
    libres = MAXIMO_CARTA - len(carga)
    for nombre, valor in ilegible.propiedades.items():
        libres -= len(nombre.encode()) + len(valor.encode())
        if libres < 0:
            propias[PROPIEDAD_RECORTADA] = f"faltan propiedades; la carga tenía {len(ilegible.carga)} octetos"
            break
        propiedades[nombre] = valor
    return Sobre(topico + SUFIJO_CARTAS, None, propiedades | propias, carga)


def identificador_de_traza(propiedades: Mapping[str, str]) -> str | None:
    """El *trace-id* de un mensaje, para el registro; `None` si no trae un `traceparent` válido."""
    traza = _traza(propiedades)
    return None if traza is None else traza.split("-")[1]


def abrir_comando(
    topico: str,
    *,
    carga: bytes | None,
    propiedades: Mapping[str, str],
    clave: str | None,
    publicado_en: datetime,
    posicion: str,
    epoca: UUID,
    ajenas: Collection[str] = (),
) -> ComandoRecibido | MensajeIlegible | MensajeDeOtraVersion:
    """Abre un mensaje de un tópico de comandos; nunca lanza por culpa de lo que trae.

    Args:
        topico: el nombre corto del tópico del que llegó.
        carga: sus octetos; `None` es un mensaje sin valor.
        propiedades: las del mensaje; ninguna es obligatoria.
        clave: la de partición, si la tiene.
        publicado_en: cuándo se publicó, en UTC.
        posicion: su lugar en el tópico, el mismo en cada entrega.
        epoca: la de los datos del broker, sin la cual una posición no dice nada.
        ajenas: huellas de esquemas que no son de nadie: lo que las nombra es ilegible.
    """
    octetos = carga or b""
    identidad = _identidad(topico, octetos, propiedades.get("ce_id"), posicion, epoca)
    try:
        campos = _campos_leidos(ESQUEMAS[topico], carga, propiedades, ajenas)
        if not campos["id"]:
            campos["id"] = _id_derivado(topico, identidad, propiedades.get("ce_id"))
        traza = _traza(propiedades)
        return ComandoRecibido(
            identidad=identidad,
            comando=_CLASE_DEL_TOPICO[topico].comando(**campos),
            publicado_en=publicado_en,
            traza=traza,
        )
    except EsquemaDesconocido as desconocido:
        return MensajeDeOtraVersion(
            identidad=identidad, clave=clave, publicado_en=publicado_en, huella_esquema=desconocido.huella
        )
    except RegistroIlegible as ilegible:
        return MensajeIlegible(
            identidad=identidad,
            clave=clave,
            publicado_en=publicado_en,
            detalle=str(ilegible),
            carga=octetos,
            propiedades=propiedades,
        )


def sin_abrir(
    topico: str,
    *,
    carga: bytes | None,
    propiedades: Mapping[str, str],
    clave: str | None,
    publicado_en: datetime,
    posicion: str,
    epoca: UUID,
    detalle: str,
) -> MensajeIlegible:
    """Da por ilegible un mensaje sin mirar lo que trae; los argumentos son los de `abrir_comando`.

    Su identidad es la que tendría abierto: si llegó a asentarse, esto es una reentrega.
    """
    octetos = carga or b""
    return MensajeIlegible(
        identidad=_identidad(topico, octetos, propiedades.get("ce_id"), posicion, epoca),
        clave=clave,
        publicado_en=publicado_en,
        detalle=detalle,
        carga=octetos,
        propiedades=propiedades,
    )


def huella_de(octetos: bytes) -> bytes:
    """La huella de un comando: un resumen de los octetos de su carga."""
    return blake2b(octetos, digest_size=_OCTETOS_HUELLA).digest()


def _sobre(
    topico: str,
    clave: str | None,
    sujeto: str | None,
    campos: Mapping[str, Any],
    ce_id: str,
    ce_time: datetime | None,
    traza: str | None,
) -> Sobre:
    esquema = ESQUEMAS[topico]
    propiedades = PROPIEDADES_FIJAS[topico] | {"ce_id": ce_id}
    if sujeto is not None:
        propiedades["ce_subject"] = sujeto
    if ce_time is not None:
        propiedades["ce_time"] = _rfc_3339(ce_time)
    if traza is not None:
        propiedades["traceparent"] = traza
    return Sobre(topico, clave, propiedades, esquema.escribir(campos))


def _rfc_3339(instante: datetime) -> str:
    en_utc = instante if instante.tzinfo is UTC else instante.astimezone(UTC)
    return f"{en_utc.isoformat()[:-6]}Z"


def _traza(propiedades: Mapping[str, str]) -> str | None:
    traza = propiedades.get("traceparent")
    return traza if traza is not None and _TRACEPARENT.fullmatch(traza) else None


def _identidad(
    topico: str, octetos: bytes, ce_id: str | None, posicion: str, epoca: UUID
) -> IdentidadComando:
    huella = huella_de(octetos)
    if not ce_id:
        return IdentidadComando(str(uuid5(epoca, f"{topico}\n{posicion}")), huella)
    if not _CE_ID_UTILIZABLE.fullmatch(ce_id):
        # Por su resumen: así da igual lo largo que sea y si es texto siquiera.
        resumen = blake2b(ce_id.encode("utf-8", "surrogatepass"), digest_size=_OCTETOS_HUELLA).hexdigest()
        return IdentidadComando(str(uuid_utils.uuid5(_ESPACIO, f"{resumen}\n{huella.hex()}")), huella)
    return IdentidadComando(ce_id, huella)


def _id_derivado(topico: str, identidad: IdentidadComando, ce_id: str | None) -> str:
    """El `id` de un comando que llegó sin él: siempre el mismo, para que una reentrega no cuente otra vez."""
    if not ce_id:
        return identidad.comando_id
    return str(uuid_utils.uuid5(_ESPACIO, f"{topico}\n{identidad.comando_id}\n{identidad.huella.hex()}"))


def _campos_leidos(
    esquema: Esquema, carga: bytes | None, propiedades: Mapping[str, str], ajenas: Collection[str] = ()
) -> dict[str, Any]:
    campos = leer_registro(esquema, carga, propiedades, ajenas=ajenas)
    campos["campaña_id"] = campos.pop("campana_id")
    campos["advertencias"] = tuple(campos["advertencias"])
    if "senales" in campos:
        campos["señales"] = tuple(campos.pop("senales"))
    if campos.get("lectura") is not None:
        campos["lectura"] = _lectura_leida(campos["lectura"])
    for nombre in esquema.decimales:
        campos[nombre] = _decimal_leido(campos[nombre])
    return campos


def _lectura_leida(leida: Mapping[str, Any]) -> Lectura:
    campos = {nombre: leida[en_avro] for nombre, en_avro in _CAMPOS_DE_LECTURA.items()}
    return Lectura(**campos | {nombre: tuple(campos[nombre]) for nombre in ("señales", "recibidas")})


def _decimal_leido(octetos: bytes | None) -> Decimal | None:
    """Convierte los octetos de un decimal Avro (complemento a dos, mayor primero), sin redondearlo."""
    if octetos is None:
        return None
    if len(octetos) > _OCTETOS_DECIMAL:
        raise RegistroIlegible("valor no cabe en decimal(18,4)")
    sin_escala = int.from_bytes(octetos, "big", signed=True)
    return Decimal(f"{sin_escala}e-{ESCALA}")
