"""`GET /c/{enlace_id}`: quien sigue un enlace llega a su destino, y su clic queda registrado.

Qué es: de un enlace y una petición a una redirección, con el clic ya a salvo cuando se responde.
Qué no es: el juicio de si el clic vale o lo hizo un robot: eso se decide al registrarlo, con las señales que
se dejan aquí.
Por qué existe: con un clic se paga. El destino, el influencer y el identificador salen de lo guardado y de
nada que traiga la petición; de ella pasan `sub1` a `sub5` y los `utm_`, que solo describen.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from http import HTTPMethod
from typing import Any, Final
from urllib.parse import quote_plus, unquote_to_bytes
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.idioma import Idioma, preferido
from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.problemas import SEGUNDOS_PARA_REINTENTAR, ErrorHTTP, no_encontrado
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.traza import traza_de
from alpespartners.api.http.visitante import Visitante, Visitantes
from alpespartners.modulos.enlaces.aplicacion.libreta import Libreta, LibretaNoDisponible
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.clic import acuñar
from alpespartners.modulos.enlaces.dominio.destino import con_parametros
from alpespartners.modulos.enlaces.dominio.destino_firmado import DestinoNegado, destino_firmado
from alpespartners.modulos.enlaces.dominio.enlace import DE_LA_VISITA, Enlace
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from alpespartners.modulos.tracking.aplicacion.clases import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.clics import RecepcionDeClics
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.dto import RegistrarImpresionDTO
from alpespartners.modulos.tracking.aplicacion.mapeadores import dto_a_comando
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.dominio.propiedades import reunir_propiedades

PLANTILLA: Final = "/c/{enlace_id}"
SEGUNDOS_DE_UNA_VISITA: Final = 24 * 60 * 60
"""Los que un segundo clic en un enlace, desde el mismo navegador, es la misma visita."""
PARAMETROS_MAXIMOS: Final = 64
"""Los que se miran de una petición; los demás, como si no vinieran."""
PASAN_COMO_MUCHO: Final = 16
LETRAS_DE_UN_VALOR: Final = 256
OCTETOS_QUE_PASAN: Final = 2 * 1024
"""Lo que se añade a un destino, ya codificado: una dirección de más de 8 KiB no la admite cualquiera."""

VISITA_REPETIDA: Final = "visita_repetida"
ENLACE_VENCIDO: Final = "enlace_vencido"
_GALLETA: Final = "alp_v_"
_INSTANTE: Final = re.compile("[0-9]{1,12}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UTM: Final = "utm_"
_SIN_MIRAR: Final = re.compile("prefetch|prerender|preview")
_QUE_LO_DICEN: Final = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_TIPO_DE_PROGRAMA: Final = "json"

_CABECERAS: Final = {
    "X-Robots-Tag": "noindex",
    # La de los navegadores: a la tienda le llega de qué red viene quien hizo clic, y no de qué página.
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_CABECERAS_DE_PAGINA: Final = _CABECERAS | politica_de_contenido() | {"Vary": "Accept, Accept-Language"}
_PAGINA: Final = """\
<!doctype html>
<html lang="{idioma}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{titulo}</title>
<h1>{titulo}</h1>
<p>{detalle}</p>
</html>
"""
_PARA_UNA_PERSONA: Final[Mapping[Idioma, Mapping[int, tuple[str, str]]]] = {
    Idioma.ESPAÑOL: {
        404: (
            "Este enlace no existe",
            "Compruebe que lo tiene entero, o pida otro a quien se lo dio.",
        ),
        429: (
            "Demasiadas visitas a la vez",
            "Desde su conexión llegan más visitas de las que se admiten. Vuelva a probar en unos segundos.",
        ),
        503: (
            "Este enlace no se puede abrir ahora",
            "Vuelva a intentarlo en unos segundos.",
        ),
    },
    Idioma.INGLES: {
        404: (
            "This link does not exist",
            "Check that you have all of it, or ask whoever gave it to you for another one.",
        ),
        429: (
            "Too many visits at once",
            "More visits are coming from your connection than are allowed. Try again in a few seconds.",
        ),
        503: (
            "This link cannot be opened right now",
            "Try again in a few seconds.",
        ),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redireccion:
    """Quien atiende los enlaces.

    Attributes:
        libreta: los enlaces, a mano.
        secretos: con los que se firman los clics y los destinos.
        clics: quien los recibe.
        visitantes: de quién viene cada petición.
        limite: cuánto puede pedir una dirección.
        reloj: la hora, en UTC con zona.
        nuevo_id: un UUIDv7 en texto.
    """

    libreta: Libreta
    secretos: Secretos
    clics: RecepcionDeClics
    visitantes: Visitantes
    limite: LimitePorDireccion
    reloj: Callable[[], datetime]
    nuevo_id: Callable[[], str]

    def ruta(self) -> Ruta:
        """La suya, que se pide sin clave."""
        return Ruta(
            plantilla=PLANTILLA, metodo="GET", atencion=self._atender, alcance=None, al_fallar=_al_fallar
        )

    async def _atender(self, peticion: Request) -> Response:
        visitante = self.visitantes.de(peticion)
        self.limite.exigir(visitante.origen)
        enlace = await self._enlace(peticion.path_params["enlace_id"])
        secretos = await self.secretos.todos()
        ahora = self.reloj()
        dichos = dict(_dichos(peticion.scope["query_string"]))
        destino, negado = _destino(enlace, dichos, secretos, ahora)
        pasan = dict(_que_pasan(dichos, enlace.parametro_clic))
        if _nadie_lo_mira(peticion):
            return _a(con_parametros(destino, pasan))
        ultima = _ultima_visita(peticion, enlace, ahora)
        señales = [
            *([VISITA_REPETIDA] if ultima is not None else []),
            *([ENLACE_VENCIDO] if enlace.vencido(ahora) else []),
            *([negado.value] if negado is not None else []),
        ]
        clic_id = acuñar(enlace.enlace_id, secretos[0], UUID(self.nuevo_id()))
        clic = self._clic(enlace, clic_id, visitante, pasan, tuple(señales), ahora)
        await self.clics.recibir(clic, comando_id=self.nuevo_id(), traza=traza_de(peticion))
        respuesta = _a(con_parametros(destino, pasan | {enlace.parametro_clic: clic_id}))
        if ultima is None:
            _recordar_la_visita(respuesta, enlace, ahora)
        return respuesta

    async def _enlace(self, enlace_id: str) -> Enlace:
        try:
            enlace = await self.libreta.buscar(enlace_id)
        except LibretaNoDisponible:
            raise _enlaces_no_disponibles() from None
        if enlace is None:
            raise no_encontrado()
        return enlace

    def _clic(
        self,
        enlace: Enlace,
        clic_id: str,
        visitante: Visitante,
        pasan: Mapping[str, str],
        señales: tuple[str, ...],
        ahora: datetime,
    ) -> Comando:
        recolector = Recolector()
        propiedades = [
            ("enlace_id", enlace.enlace_id),
            *visitante.extra.items(),
            *((_propiedad(nombre), valor) for nombre, valor in pasan.items()),
        ]
        campos: dict[str, Any] = {
            "id": clic_id,
            "clic_id": clic_id,
            "tipo_evento": TipoEvento.CLIC,
            "campaña_id": enlace.campaña_id,
            "influencer_id": enlace.influencer_id,
            "user_agent": visitante.agente,
            "ip_address": visitante.direccion,
            "referrer": visitante.procedencia,
            "propiedades": reunir_propiedades(propiedades, recolector),
        }
        dto = RegistrarImpresionDTO(**campos)
        comando = dto_a_comando(IMPRESIONES, dto, recolector, id_asignado=self.nuevo_id, recibido_en=ahora)
        return replace(comando, señales=señales)


def _destino(
    enlace: Enlace, dichos: Mapping[str, str], secretos: Sequence[Secreto], ahora: datetime
) -> tuple[str, DestinoNegado | None]:
    """Adónde se va y, si se pidió otro sitio y no se va, por qué."""
    pedido = dichos.get("destino")
    if pedido is None:
        return enlace.destino, None
    firmado = destino_firmado(
        enlace, pedido, dichos.get("firma", ""), dichos.get("vence", ""), secretos, ahora
    )
    return (enlace.destino, firmado) if isinstance(firmado, DestinoNegado) else (firmado, None)


def _dichos(consulta: bytes) -> Iterator[tuple[str, str]]:
    """Los parámetros que se entienden, una vez cada uno: el primero que lo dice."""
    vistos: set[str] = set()
    for par in consulta.split(b"&", PARAMETROS_MAXIMOS)[:PARAMETROS_MAXIMOS]:
        nombre, _, valor = map(_decodificado, par.partition(b"="))
        if nombre and valor is not None and nombre not in vistos:
            vistos.add(nombre)
            yield nombre, valor


def _decodificado(crudo: bytes) -> str | None:
    try:
        return unquote_to_bytes(crudo.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _que_pasan(dichos: Mapping[str, str], parametro_clic: str) -> Iterator[tuple[str, str]]:
    """Los que pasan al destino y a las propiedades del clic, mientras quepan."""
    libres, cuantos = OCTETOS_QUE_PASAN, 0
    for nombre, valor in dichos.items():
        if not DE_LA_VISITA.fullmatch(nombre) or nombre == parametro_clic:
            continue
        if not valor or len(valor) > LETRAS_DE_UN_VALOR or _CONTROL.search(valor):
            continue
        libres -= len(nombre) + len(quote_plus(valor)) + 2
        cuantos += 1
        if libres < 0 or cuantos > PASAN_COMO_MUCHO:
            return
        yield nombre, valor


def _propiedad(nombre: str) -> str:
    return f"utm.{nombre.removeprefix(_UTM)}" if nombre.startswith(_UTM) else nombre


def _nadie_lo_mira(peticion: Request) -> bool:
    """Dice si la pide un programa por si acaso, y no una persona que quiere ir."""
    if peticion.method == HTTPMethod.HEAD:
        return True
    cabeceras = cabeceras_de(peticion)
    return any(
        _SIN_MIRAR.search(valor.lower()) for nombre in _QUE_LO_DICEN for valor in cabeceras.get(nombre, ())
    )


def _ultima_visita(peticion: Request, enlace: Enlace, ahora: datetime) -> int | None:
    """Cuándo fue el primer clic de esta visita, si lo dice su galleta."""
    escrito = peticion.cookies.get(_GALLETA + enlace.enlace_id, "")
    if not _INSTANTE.fullmatch(escrito):
        return None
    hace = ahora.timestamp() - int(escrito)
    return int(escrito) if 0 <= hace < SEGUNDOS_DE_UNA_VISITA else None


def _recordar_la_visita(respuesta: Response, enlace: Enlace, ahora: datetime) -> None:
    # Solo desde el primero: quien vuelve cada día haría una visita que no se acaba. Ni firmada ni cifrada:
    # quien la cambie solo dirá otra cosa de su propio clic, que además cuenta aparte.
    # Escrita a mano, que `set_cookie` gasta lo que firmar el clic: un `enlace_id` cabe tal cual.
    galleta = f"{_GALLETA}{enlace.enlace_id}={int(ahora.timestamp())}"
    camino = PLANTILLA.format(enlace_id=enlace.enlace_id)
    respuesta.headers.append(
        "Set-Cookie", f"{galleta}; HttpOnly; Max-Age={SEGUNDOS_DE_UNA_VISITA}; Path={camino}; SameSite=lax"
    )


def _a(destino: str) -> Response:
    # Tal cual: la de Starlette volvería a codificar lo que ya lo está.
    return Response(status_code=302, headers=_CABECERAS | {"Location": destino})


def _enlaces_no_disponibles() -> ErrorHTTP:
    return ErrorHTTP(
        503,
        "enlaces_no_disponibles",
        "Enlaces no disponibles",
        "Ese enlace no se conoce todavía, y la base de datos no responde: repítalo.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )


def _al_fallar(peticion: Request, error: ErrorHTTP) -> Response:
    """Una página corta en su idioma, que no repite nada de la petición; a quien pide JSON, un problema."""
    if _TIPO_DE_PROGRAMA in peticion.headers.get("accept", ""):
        respuesta = error.respuesta()
        respuesta.headers.update(_CABECERAS)
        return respuesta
    idioma = preferido(",".join(peticion.headers.getlist("accept-language")))
    frases = _PARA_UNA_PERSONA[idioma].get(error.estado)
    if frases is None:
        # Los problemas solo se dicen en español.
        idioma, frases = Idioma.ESPAÑOL, (error.problema.title, error.problema.detail)
    titulo, detalle = map(escape, frases)
    pagina = _PAGINA.format(idioma=idioma, titulo=titulo, detalle=detalle)
    return Response(pagina, error.estado, _CABECERAS_DE_PAGINA | dict(error.cabeceras or {}), "text/html")
