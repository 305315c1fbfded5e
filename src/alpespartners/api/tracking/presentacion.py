"""De lo que la aplicación responde a los cuerpos de sus respuestas.

Qué es: lo común a los eventos registrados, un envío aceptado, la historia de un `id`, los destinos de todos y
el balance, con los nombres del contrato; de aquí salen también sus esquemas en la documentación.
Qué no es: una decisión sobre qué se guarda; sale lo que hay, con `null` donde no hay nada.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from msgspec import Meta

from alpespartners.api.http.descripcion import CuerpoDescrito, Esquema
from alpespartners.api.http.problemas import CodigoEscrito
from alpespartners.api.tracking import ejemplos as ejemplos_de_la_semilla
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS, MOTIVOS, MOTIVOS_DE_IGNORAR
from alpespartners.modulos.tracking.aplicacion.conflictos import lo_visible
from alpespartners.modulos.tracking.aplicacion.consultas import consultar_destino, listar_destinos
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import BalanceDelModulo
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import SUCESOS_MAXIMOS, Suceso
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import LIMITE_MAXIMO
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import ESTADOS
from alpespartners.modulos.tracking.aplicacion.mensajes import CuentaDeClics
from alpespartners.modulos.tracking.dominio import destinos
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic, Lectura

R = TypeVar("R", bound="EventoRegistrado")

_LECTURAS_RECORDADAS: Final = 4_096
"""Las distintas son pocas, y una descarga las cuenta por millones."""

Instante = Annotated[datetime, Meta(tz=True)]
Cuenta = Annotated[int, Meta(ge=0)]
Advertencias = Annotated[
    Sequence[str],
    Meta(description="Lo que se reparó o descartó: un código, y `:campo` si habla de uno."),
]
Frase = Annotated[str, Meta(description="Una frase; nunca un valor recibido.")]
Campos = Annotated[
    Sequence[str],
    Meta(description="Los que faltan a su regla o, si el `id` ya era de otro contenido, los que difieren."),
]
Difieren = Annotated[
    Sequence[str],
    Meta(description="Los campos, de los que solo describen, en que no dice lo mismo que lo registrado."),
]
MotivoEscrito = Annotated[
    str,
    Meta(
        description="De un rechazo o de lo ignorado.",
        extra_json_schema={"enum": [*CODIGOS, *MOTIVOS_DE_IGNORAR]},
    ),
]
CampañaEnviada = Annotated[
    str | None, Meta(description="La que se envió; `null` si faltaba, no podía ser una o no se guardaba aún.")
]
InfluencerEnviado = Annotated[
    str | None, Meta(description="El que se envió; `null` si faltaba, no podía ser uno o no se guardaba aún.")
]
Enviado = Annotated[
    Mapping[str, Any],
    Meta(
        extra_json_schema={
            "additionalProperties": {
                "anyOf": [
                    {"type": ["string", "number", "boolean", "null"]},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            }
        }
    ),
]
ProcesadoHasta = Annotated[
    Instante | None,
    Meta(description="El `recibido_en` del comando procesado más nuevo; `null` si no hay ninguno."),
]

DEL_SERVIDOR: Final[Esquema] = {
    "clic_id": None,
    "propiedades": {},
    "recibido_en": "2024-01-15T10:36:00.120000Z",
    "registrado_en": "2024-01-15T10:36:00.250000Z",
    "comando_id": ejemplos_de_la_semilla.COMANDO,
    "advertencias": [],
    "lectura": None,
}
"""Lo que a un envío de ejemplo le añade el servidor, salvo cuándo ocurrió."""


class LecturaContada(CuerpoDescrito, kw_only=True):
    """Lo que se dedujo, al registrarlo, de desde dónde y con qué llegó alguien; `null` es que no se sabe."""

    reglas: Annotated[str, Meta(description="Con qué reglas y datos se leyó.")]
    navegador: Annotated[str | None, Meta(description="Su familia, sin versión.")]
    sistema: Annotated[str | None, Meta(description="Su familia, sin versión.")]
    dispositivo: Annotated[
        str | None, Meta(extra_json_schema={"enum": ["movil", "tableta", "escritorio", "tv", "otro", None]})
    ]
    aplicacion: Annotated[
        str | None, Meta(description="La que lo abrió en su propio navegador, como `Instagram`.")
    ]
    red: Annotated[str | None, Meta(description="De dónde venía: `instagram`, `google`, `directo`, `otra`…")]
    pais: Annotated[str | None, Meta(description="El de su dirección, aproximado: ISO 3166-1 alfa-2.")]
    bot: Annotated[bool, Meta(description="Si alguna de las señales dice que es un robot.")]
    señales: Annotated[Sequence[str], Meta(description="Códigos de lo que se halló.")]
    recibidas: Annotated[
        Sequence[str], Meta(description="Códigos de lo que supo quien lo recibió, como `visita_repetida`.")
    ]
    clase: Annotated[
        str | None,
        Meta(
            description="La de un clic; de lo demás, `null`.",
            extra_json_schema={"enum": [*ClaseDeClic, None]},
        ),
    ]


class _Identificado(CuerpoDescrito):
    id: str
    campaña_id: str
    influencer_id: str | None
    usuario_id: str | None


class EventoRegistrado(_Identificado, kw_only=True):
    """Un evento registrado: los campos del cliente en el orden de la semilla, y los del servidor.

    Los de cada clase van detrás de `usuario_id`: msgspec deja para el final los que solo tienen nombre.
    """

    clic_id: Annotated[str | None, Meta(description="El clic del que viene.")]
    user_agent: str | None
    ip_address: str | None
    referrer: str | None
    timestamp: Instante | None
    propiedades: Mapping[str, str]
    ocurrido_en: Annotated[
        Instante, Meta(description="El `timestamp`, o `recibido_en` si falta o se adelanta a él.")
    ]
    recibido_en: Instante
    registrado_en: Instante
    comando_id: str
    advertencias: Advertencias
    lectura: Annotated[LecturaContada | None, Meta(description="`null` si se registró sin leerlo.")]


class YaRegistrado(CuerpoDescrito):
    """El envío de lo que ya estaba registrado, para quien no puede leerlo."""

    ejemplos = (
        {
            "id": ejemplos_de_la_semilla.ID,
            "comando_id": "01900000-0000-7000-8000-000000000002",
            "original": ejemplos_de_la_semilla.COMANDO,
            "difieren": [],
        },
    )

    id: str
    comando_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    original: Annotated[str, Meta(description="El comando que lo registró.")]
    difieren: Difieren


class Pagina(CuerpoDescrito, Generic[R]):
    """Una página de una lista."""

    elementos: Annotated[list[R], Meta(max_length=LIMITE_MAXIMO)]
    siguiente: Annotated[str | None, Meta(description="El `cursor` de la página siguiente, si la hay.")]


class Corriente(CuerpoDescrito, Generic[R]):
    """Una página de la corriente."""

    elementos: Annotated[list[R], Meta(max_length=LIMITE_MAXIMO)]
    siguiente: Annotated[str, Meta(description="El `cursor` por el que seguir, ahora o más tarde.")]
    al_dia: Annotated[bool, Meta(description="Si ahora mismo no queda nada más por leer.")]


class Aceptado(CuerpoDescrito):
    """Un envío que el broker ya guardó."""

    ejemplos = (
        {
            "id": ejemplos_de_la_semilla.ID,
            "estado": "ACEPTADA",
            "comando_id": ejemplos_de_la_semilla.COMANDO,
            "advertencias": [],
        },
    )

    id: Annotated[str, Meta(description="El enviado, o el asignado (UUIDv7) si no lo había.")]
    estado: Literal["ACEPTADA"]
    comando_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    advertencias: Advertencias


class SucesoContado(CuerpoDescrito, kw_only=True, tag_field="estado"):
    """En qué acabó un comando: lo común a los cinco destinos, detrás de lo propio de cada uno."""

    comando_id: str
    recibido_en: Instante
    decidido_en: Instante


class Registrada(SucesoContado, tag="REGISTRADA"):
    """Se guardó, y su evento de dominio se publica."""


class Duplicada(SucesoContado, tag="DUPLICADA"):
    """Ya estaba registrado, y lo que decide el dinero es lo mismo: no añadió nada."""

    original: Annotated[str, Meta(description="El comando que lo registró.")]
    difieren: Difieren


class Rechazada(SucesoContado, tag="RECHAZADA"):
    """No se registró."""

    motivo: CodigoEscrito
    detalle: Frase
    campos: Campos
    campaña_id: CampañaEnviada
    influencer_id: InfluencerEnviado


class Ignorada(SucesoContado, tag="IGNORADA"):
    """Quien lo envió habla otro protocolo, y lo que dijo no tiene aquí correspondencia."""

    motivo: MotivoDeIgnorar
    detalle: Frase
    campaña_id: CampañaEnviada
    influencer_id: InfluencerEnviado


class Ilegible(SucesoContado, tag="ILEGIBLE"):
    """No se pudo descifrar; el mensaje está en las cartas muertas."""

    detalle: Frase


class Historia(CuerpoDescrito):
    """Todo lo que pasó con un `id`, del suceso más antiguo al más nuevo."""

    ejemplos = (
        {
            "id": ejemplos_de_la_semilla.ID,
            "destinos": [
                {
                    "estado": "REGISTRADA",
                    "comando_id": ejemplos_de_la_semilla.COMANDO,
                    "recibido_en": DEL_SERVIDOR["recibido_en"],
                    "decidido_en": DEL_SERVIDOR["registrado_en"],
                }
            ],
            "omitidos": 0,
        },
    )

    id: str
    destinos: Annotated[
        list[Registrada | Duplicada | Rechazada | Ignorada | Ilegible],
        Meta(min_length=1, max_length=SUCESOS_MAXIMOS),
    ]
    omitidos: Annotated[Cuenta, Meta(description=f"Cuántos hay además de los {SUCESOS_MAXIMOS} primeros.")]


class DestinoListado(CuerpoDescrito, kw_only=True):
    """En qué acabó un comando y qué se envió en él; lo que su `estado` no tiene es `null`, o está vacío."""

    ejemplos = (
        {
            **ejemplos_de_la_semilla.RECHAZO,
            "recibido_en": DEL_SERVIDOR["recibido_en"],
            "decidido_en": DEL_SERVIDOR["registrado_en"],
        },
    )

    estado: Annotated[str, Meta(extra_json_schema={"enum": [*ESTADOS]})]
    clase: Annotated[str, Meta(extra_json_schema={"enum": [clase.nombre for clase in CLASES]})]
    id: Annotated[str | None, Meta(description="`null` si faltaba o no podía ser un `id`.")]
    campaña_id: CampañaEnviada
    influencer_id: InfluencerEnviado
    motivo: MotivoEscrito | None
    detalle: Frase | None
    campos: Campos
    original: Annotated[str | None, Meta(description="De un duplicado, el comando que lo registró.")]
    difieren: Difieren
    comando_id: str
    recibido_en: Instante
    decidido_en: Instante
    enviado: Annotated[
        Enviado | None,
        Meta(
            description=(
                "Los campos que se enviaron, con sus nombres. `null` si el mensaje no se pudo descifrar "
                "(está en las cartas muertas) o si, de algo que no se registró, ya pasaron los días que se "
                "guarda o es anterior a que se guardara. `recortado` dice que no cabían enteros."
            )
        ),
    ]


class PaginaDestinos(CuerpoDescrito):
    """Una página de destinos."""

    ejemplos = (
        {
            "elementos": [*DestinoListado.ejemplos],
            "siguiente": None,
        },
    )

    elementos: Annotated[list[DestinoListado], Meta(max_length=LIMITE_MAXIMO)]
    siguiente: Annotated[str | None, Meta(description="El `cursor` de la página siguiente, si la hay.")]


class BalanceDeTopico(CuerpoDescrito):
    """En qué acabaron los comandos procesados de un tópico."""

    topico: str
    registradas: Cuenta
    duplicadas: Cuenta
    rechazadas: Annotated[
        Mapping[str, Cuenta],
        Meta(description="Por motivo.", extra_json_schema={"propertyNames": {"enum": [*MOTIVOS]}}),
    ]
    ignoradas: Annotated[
        Mapping[str, Cuenta],
        Meta(description="Por motivo.", extra_json_schema={"propertyNames": {"enum": [*MOTIVOS_DE_IGNORAR]}}),
    ]
    ilegibles: Cuenta
    total: Annotated[Cuenta, Meta(description="Comandos distintos procesados.")]
    procesado_hasta: ProcesadoHasta


class BandejaSalida(CuerpoDescrito):
    """Lo que falta por publicar."""

    pendientes: Annotated[Cuenta, Meta(description="Mensajes que el broker aún no confirmó.")]
    desde: Annotated[
        Instante | None,
        Meta(description="Desde cuándo espera el más antiguo; `null` si no hay ninguno."),
    ]


class Balance(CuerpoDescrito):
    """El balance de este instante."""

    ejemplos = (
        {
            "comandos": [
                {
                    "topico": ejemplos_de_la_semilla.TOPICO,
                    "registradas": 40,
                    "duplicadas": 2,
                    "rechazadas": {"conflicto_de_id": 1},
                    "ignoradas": {},
                    "ilegibles": 0,
                    "total": 43,
                    "procesado_hasta": DEL_SERVIDOR["recibido_en"],
                }
            ],
            "bandeja_salida": {"pendientes": 0, "desde": None},
            "clics_en_espera": 0,
            "clics_perdidos": 0,
        },
    )

    comandos: Annotated[list[BalanceDeTopico], Meta(description="Una cuenta por tópico de comandos.")]
    bandeja_salida: BandejaSalida
    clics_en_espera: Annotated[
        Cuenta,
        Meta(
            description=(
                "Clics y píxeles que el broker no confirmó a tiempo: están en el disco de quien responde y "
                "se enviarán después. Todavía no están en `comandos`."
            )
        ),
    ]
    clics_perdidos: Annotated[
        Cuenta,
        Meta(
            description=(
                "Clics y píxeles que no se pudieron guardar, ni en el broker ni en ese disco, desde siempre."
            )
        ),
    ]


def campos_contados(evento: EventoSeguido[Any]) -> dict[str, Any]:
    """Los campos de un evento registrado, como van en su cuerpo."""
    campos = evento.campos()
    if evento.lectura is not None:
        campos["lectura"] = _lectura_contada(evento.lectura)
    return campos


@lru_cache(_LECTURAS_RECORDADAS)
def _lectura_contada(lectura: Lectura) -> LecturaContada:
    return LecturaContada(**asdict(lectura))


def historia(evento_id: str, contada: consultar_destino.Historia) -> Historia:
    """Cuenta todo lo que pasó con un `id`."""
    return Historia(
        id=evento_id, destinos=[_suceso(suceso) for suceso in contada.sucesos], omitidos=contada.omitidos
    )


def _suceso(suceso: Suceso) -> Registrada | Duplicada | Rechazada | Ignorada | Ilegible:
    """El estado, y los campos propios de cada uno."""
    comunes: dict[str, Any] = {
        "comando_id": suceso.comando_id,
        "recibido_en": suceso.recibido_en,
        "decidido_en": suceso.decidido_en,
    }
    match suceso.destino:
        case destinos.Registrada():
            return Registrada(**comunes)
        case destinos.Duplicada(original, difieren):
            return Duplicada(original, difieren, **comunes)
        case destinos.Rechazada(motivo, detalle, campos):
            return Rechazada(motivo, detalle, campos, suceso.campaña_id, suceso.influencer_id, **comunes)
        case destinos.Ignorada(por_que, detalle):
            return Ignorada(por_que, detalle, suceso.campaña_id, suceso.influencer_id, **comunes)
        case destinos.Ilegible(detalle):
            return Ilegible(detalle, **comunes)


def pagina_de_destinos(
    hallada: listar_destinos.PaginaDestinos, campañas: Collection[str] | None
) -> PaginaDestinos:
    """Cuenta una página de destinos a quien solo ve esas campañas (`None`, todas)."""
    return PaginaDestinos([_listado(listado, campañas) for listado in hallada.elementos], hallada.siguiente)


def _listado(listado: listar_destinos.DestinoListado, campañas: Collection[str] | None) -> DestinoListado:
    motivo: str | None = None
    detalle: str | None = None
    original: str | None = None
    campos: Sequence[str] = ()
    difieren: Sequence[str] = ()
    match lo_visible(listado.destino, campañas):
        case destinos.Duplicada(original, difieren):
            pass
        case destinos.Rechazada(motivo, detalle, campos):
            pass
        case destinos.Ignorada(motivo, detalle):
            pass
        case destinos.Ilegible(detalle):
            pass
    return DestinoListado(
        estado=listado.destino.estado,
        clase=listado.clase.nombre,
        id=listado.evento_id,
        campaña_id=listado.campaña_id,
        influencer_id=listado.influencer_id,
        motivo=motivo,
        detalle=detalle,
        campos=campos,
        original=original,
        difieren=difieren,
        comando_id=listado.comando_id,
        recibido_en=listado.recibido_en,
        decidido_en=listado.decidido_en,
        enviado=listado.enviado,
    )


def balance(actual: BalanceDelModulo, clics: CuentaDeClics) -> Balance:
    """Las cuentas de cada tópico de comandos, la bandeja de salida y los clics que esperan a publicarse."""
    return Balance(
        comandos=[
            BalanceDeTopico(
                topico=cuenta.topico,
                registradas=cuenta.registradas,
                duplicadas=cuenta.duplicadas,
                rechazadas=cuenta.rechazadas,
                ignoradas=cuenta.ignoradas,
                ilegibles=cuenta.ilegibles,
                total=cuenta.total,
                procesado_hasta=cuenta.procesado_hasta,
            )
            for cuenta in actual.comandos
        ],
        bandeja_salida=BandejaSalida(actual.bandeja_salida.cuantos, actual.bandeja_salida.desde),
        clics_en_espera=clics.en_espera,
        clics_perdidos=clics.perdidos,
    )
