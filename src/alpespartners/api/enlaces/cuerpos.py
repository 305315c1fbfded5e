"""Lo que se pide para hacer un enlace, cambiarlo y firmar otro destino, descrito."""

from typing import Final

from alpespartners.api.enlaces.presentacion import EJEMPLO, DestinoFirmado
from alpespartners.api.http.descripcion import CuerpoPedido, Esquema
from alpespartners.api.http.esquemas import IDENTIFICADOR, INSTANTE, PATRON
from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.modulos.enlaces.dominio.destino import LONGITUD_DEL_DESTINO
from alpespartners.modulos.enlaces.dominio.enlace import (
    DOMINIOS_MAXIMOS,
    FORMA_DE_ENLACE,
    FORMA_DE_PARAMETRO,
    PARAMETRO_CLIC,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR

PARCHE: Final = "application/merge-patch+json"
DE_UN_CAMBIO: Final = LimitesDeCuerpo(
    octetos=DE_UN_EVENTO.octetos, comprimidos=DE_UN_EVENTO.comprimidos, tipos=(PARCHE, JSON)
)

_OPCIONAL: Final[Esquema] = {
    "type": ["string", "null"],
    "maxLength": LONGITUD_IDENTIFICADOR,
    "pattern": f"^(?:{PATRON})?$",
}
_DESTINO: Final[Esquema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGITUD_DEL_DESTINO,
    "description": (
        "Una dirección `http` o `https` entera, sin usuario, espacios ni caracteres de control. Se guarda "
        f"en ASCII (el anfitrión como `xn--`), en {LONGITUD_DEL_DESTINO} caracteres como mucho; su consulta "
        "y su fragmento no se tocan. No puede traer ya el parámetro del clic."
    ),
}
_VENCE: Final[Esquema] = {"anyOf": [INSTANTE, {"enum": ["", None]}]}
_CAMBIAN: Final[dict[str, Esquema]] = {
    "destino": _DESTINO,
    "cupon": {**_OPCIONAL, "description": "El código que se anuncia con el enlace."},
    "dominios_permitidos": {
        "type": ["array", "null"],
        "maxItems": DOMINIOS_MAXIMOS,
        "items": {"type": "string", "minLength": 1},
        "description": (
            "A qué otros anfitriones puede llevar un destino firmado: `tienda.com`, solo ese; "
            "`*.tienda.com`, los que acaban así, y no `tienda.com`; `*.com.co`, donde registra nombres "
            "cualquiera, no vale. El del `destino` no hace falta."
        ),
    },
    "vence_en": {**_VENCE, "description": "Desde cuándo no cuenta sus clics: RFC 3339 con zona."},
}

NUEVO: Final = CuerpoPedido(
    nombre="NuevoEnlace",
    ejemplo=EJEMPLO,
    esquema={
        "type": "object",
        "required": ["campaña_id", "destino"],
        "additionalProperties": False,
        "properties": {
            "enlace_id": {
                "type": ["string", "null"],
                "pattern": f"^(?:{FORMA_DE_ENLACE})?$",
                "description": "Cómo se llama en `/c/…`. Si falta, se le asigna uno corto al azar.",
            },
            "campaña_id": {
                **IDENTIFICADOR,
                "description": "La de sus clics; también se escribe `campana_id`. No se puede cambiar.",
            },
            "influencer_id": {**_OPCIONAL, "description": "De quién son sus clics. No se puede cambiar."},
            "parametro_clic": {
                "type": ["string", "null"],
                "pattern": f"^(?!utm_|sub[1-5]$)(?:{FORMA_DE_PARAMETRO})?$",
                "default": PARAMETRO_CLIC,
                "description": (
                    "Con qué nombre recibe el destino el identificador del clic: no puede ser `sub1` a "
                    "`sub5` ni empezar por `utm_`. No se puede cambiar."
                ),
            },
            **_CAMBIAN,
        },
    },
)
CAMBIO: Final = CuerpoPedido(
    nombre="CambioDeEnlace",
    ejemplo={"destino": "https://tienda.com/botas", "vence_en": None},
    tipo=PARCHE,
    limites=DE_UN_CAMBIO,
    esquema={
        "type": "object",
        "additionalProperties": False,
        "properties": _CAMBIAN,
    },
    otros_esquemas={JSON: {"$ref": "#/components/schemas/CambioDeEnlace"}},
)
POR_FIRMAR: Final = CuerpoPedido(
    nombre="DestinoPorFirmar",
    ejemplo={nombre: DestinoFirmado.ejemplos[0][nombre] for nombre in ("destino", "vence_en")},
    esquema={
        "type": "object",
        "required": ["destino"],
        "additionalProperties": False,
        "properties": {
            "destino": {
                **_DESTINO,
                "description": "Adónde lleva el enlace firmado; su anfitrión, de los permitidos.",
            },
            "vence_en": {
                **_VENCE,
                "description": "Desde cuándo no vale la firma, en segundos enteros; si falta, vale siempre.",
            },
        },
    },
)
