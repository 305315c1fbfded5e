"""`GET /p.gif`: una impresión o una conversión que cabe en la dirección de una imagen.

Qué es: de los parámetros a un evento, y siempre la misma imagen de 43 octetos.
Qué no es: un envío que se pueda repetir: sin `id` cada carga de la página es otro evento, y una imagen no
vuelve a pedirse. Por eso lo que el broker no confirma enseguida espera en disco, como los clics.
Por qué existe: en una página en que no se puede poner un guion cabe una imagen, y una rota se ve. Lo que va
mal lo dicen su destino y la cabecera `Alpes-Error`. En un correo no sirve: no dice de qué página es.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPMethod
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.navegador.entrada import CLAVE, entrada_de_pagina
from alpespartners.api.captura.navegador.puerta import Puerta, origen_dicho
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import permiso_de
from alpespartners.api.http.problemas import DatosInvalidos, ErrorHTTP, Falta
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.traza import traza_de
from alpespartners.modulos.claves.dominio.origen import origen_de
from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.negados import destino_de_negado
from alpespartners.modulos.tracking.aplicacion.recepcion import NoValida, Recepcion
from alpespartners.modulos.tracking.dominio.destinos import Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo
from alpespartners.modulos.tracking.dominio.lectura import PRECARGA
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc

RUTA: Final = "/p.gif"
IMAGEN: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""Un píxel transparente (GIF89a)."""
PARAMETROS_MAXIMOS: Final = 64
OCTETOS_MAXIMOS: Final = 4 * 1024
"""Los de la consulta, tal como llegan."""
ALIAS: Final[Mapping[str, str]] = {
    "k": CLAVE,
    "c": "campaña_id",
    "campana_id": "campaña_id",
    "i": "influencer_id",
    "u": "usuario_id",
    "t": "tipo_evento",
    "tc": "tipo_conversion",
    "v": "valor",
    "m": "moneda",
    "cu": "cupon",
    "cl": "clic_id",
    "ts": "timestamp",
}
"""Los nombres cortos de los campos."""
SIN_SIGNIFICADO: Final = "_"
"""El parámetro que se pone para que cada dirección sea otra, y no dice nada."""

_UTM: Final = "utm_"
_PROPIEDAD: Final = "p."
_ERROR: Final = "Alpes-Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixel:
    """El punto del píxel: desde dónde se entra, quién juzga los eventos y quién se queda con ellos."""

    puerta: Puerta
    recepcion: Recepcion
    clics: RecepcionDeClics

    def ruta(self) -> Ruta:
        """La suya."""
        return Ruta(
            plantilla=RUTA, metodo="GET", atencion=self._atender, alcance=None, al_fallar=_con_el_error
        )

    async def _atender(self, peticion: Request) -> Response:
        if peticion.scope["method"] == HTTPMethod.HEAD:
            return _imagen()
        visitante = self.puerta.visitante(peticion)
        origen = self.puerta.exigir_origen(_origen_de_la_pagina(peticion))
        campos, faltas = leer_campos(peticion.scope["query_string"])
        self.puerta.admitir(peticion, campos.get(CLAVE), origen)
        suerte = self.recepcion.juzgar(
            entrada_de_pagina(campos, visitante, faltas, _señales(peticion)), permiso_de(peticion)
        )
        if isinstance(suerte, NoValida):
            return _imagen(suerte.fallos[0].codigo, suerte.fallos[0].campo)
        await self.clics.recibir(suerte.comando, comando_id=suerte.comando_id, traza=traza_de(peticion))
        negado = destino_de_negado(suerte.comando)
        return _imagen(negado.motivo, *negado.campos[:1]) if isinstance(negado, Rechazada) else _imagen()


def leer_campos(consulta: bytes) -> tuple[dict[str, object], list[Fallo]]:
    """Los campos de una consulta, por su nombre entero, y lo que de ella no vale.

    `p.color` es la propiedad `color`, y los `utm_…` también lo son. De un parámetro repetido vale el primero.
    """
    faltas: list[Fallo] = []
    if len(consulta) > OCTETOS_MAXIMOS or consulta.count(b"&") >= PARAMETROS_MAXIMOS:
        frase = f"admite {PARAMETROS_MAXIMOS} parámetros y {OCTETOS_MAXIMOS // 1024} KiB"
        faltas.append(Fallo("consulta", Codigo.LONGITUD_EXCEDIDA, frase))
    campos: dict[str, object] = {}
    propiedades: dict[str, object] = {}
    for par in consulta[:OCTETOS_MAXIMOS].split(b"&", PARAMETROS_MAXIMOS)[:PARAMETROS_MAXIMOS]:
        crudo, _, valor = par.partition(b"=")
        nombre, ilegible = _texto(crudo)
        texto, tampoco = _texto(valor)
        nombre = en_nfc(nombre)
        nombre = ALIAS.get(nombre, nombre)
        if nombre in {"", SIN_SIGNIFICADO}:
            continue
        destino = campos
        if nombre.startswith(_PROPIEDAD):
            destino, nombre = propiedades, nombre.removeprefix(_PROPIEDAD)
        elif nombre.startswith(_UTM):
            destino, nombre = propiedades, nombre.replace("_", ".", 1)
        if ilegible or tampoco:
            faltas.append(Fallo(nombre, Codigo.VALOR_NO_PERMITIDO, "no es UTF-8"))
        if destino.setdefault(nombre, texto) != texto:
            faltas.append(Fallo(nombre, Codigo.CAMPO_REPETIDO, "aparece con dos valores"))
    if propiedades:
        campos["propiedades"] = propiedades
    return campos, faltas


def _texto(crudo: bytes) -> tuple[str, bool]:
    """Lo escrito, y si hubo que sustituir algo para leerlo."""
    octetos = unquote_to_bytes(crudo.replace(b"+", b" "))
    try:
        return octetos.decode("utf-8"), False
    except UnicodeDecodeError:
        return octetos.decode("utf-8", "replace"), True


def _origen_de_la_pagina(peticion: Request) -> str | None:
    """El que dice `Origin` o, como no suele venir con una imagen, el de la página que dice `Referer`."""
    cabeceras = cabeceras_de(peticion)
    if b"origin" in cabeceras:
        return origen_dicho(peticion)
    dichas = cabeceras.get(b"referer", ())
    return origen_de(dichas[0]) if len(dichas) == 1 else None


def _señales(peticion: Request) -> tuple[str, ...]:
    """Las de una página que se prepara por si acaso (Speculation Rules; `Purpose` es lo de antes)."""
    cabeceras = cabeceras_de(peticion)
    propositos = [*cabeceras.get(b"sec-purpose", ()), *cabeceras.get(b"purpose", ())]
    return (PRECARGA,) if any("prefetch" in proposito.lower() for proposito in propositos) else ()


def _con_el_error(_peticion: Request, error: ErrorHTTP) -> Response:
    faltas: Sequence[Falta] = error.problema.errores if isinstance(error.problema, DatosInvalidos) else ()
    return _imagen(faltas[0].codigo, faltas[0].campo) if faltas else _imagen(error.codigo)


def _imagen(codigo: str = "", campo: str = "") -> Response:
    """La imagen y, si algo fue mal, qué: el código y el campo, con lo que no es ASCII como %XX."""
    respuesta = Response(IMAGEN, media_type="image/gif")
    # También en las páginas que exigen que se les dé permiso (Fetch, `Cross-Origin-Embedder-Policy`).
    respuesta.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if codigo:
        respuesta.headers[_ERROR] = f"{codigo}; campo={quote(campo, safe='')}" if campo else codigo
    return respuesta
