"""`/tracking/postback/{dialecto}`: una conversión dicha en los parámetros de una URL o de un formulario.

Qué es: la clave, los límites, la recepción y la respuesta.
Qué no es: qué significa cada parámetro (`tabla.py`), ni lo que se hace con él (`traduccion.py`).
Por qué existe: las redes de afiliación avisan de una conversión llamando a una dirección, y solo miran si se
les respondió bien. Lo que se le niega a una no lo lee nadie: por eso consta, y se responde que se recibió.
"""

import re
from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.postback.tabla import CLAVE, DEVOLVER, ESTADOS, TABLAS, Tabla
from alpespartners.api.captura.postback.traduccion import Parametros, entrada_de
from alpespartners.api.captura.resumen_de_suertes import cuentas_de
from alpespartners.api.http.acceso import admitir, clave_presentada, cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance, Clave, Dialecto, Llavero
from alpespartners.api.http.cuerpo import gzip_ilegible, leer_cuerpo
from alpespartners.api.http.descripcion import (
    Contestacion,
    CuerpoPedido,
    Esquema,
    Etiqueta,
    Operacion,
    Parametro,
)
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.api.http.problemas import (
    NO_ENCONTRADO,
    REINTENTO,
    SEGUNDOS_PARA_REINTENTAR,
    ErrorHTTP,
    contestacion_de_error,
    datos_invalidos,
    no_encontrado,
)
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.tipos_de_medio import FORMULARIO
from alpespartners.api.http.traza import traza_de
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion, SinConfirmar
from alpespartners.modulos.tracking.dominio.excepciones import Fallo

PLANTILLA: Final = "/tracking/postback/{dialecto}"
PARAMETROS_MAXIMOS: Final = 64
LETRAS_DE_LO_DEVUELTO: Final = 16
ACUSE: Final = "OK"
"""Lo que se responde si no se pide otra cosa: hay redes que toman por un fallo un cuerpo vacío."""

_LIMITES: Final = LimitesDeCuerpo(octetos=16 * 1024, comprimidos=16 * 1024, tipos=(FORMULARIO,))
"""Los mismos que los de una consulta."""
_SIN_TIPO: Final = LimitesDeCuerpo(octetos=_LIMITES.octetos, comprimidos=_LIMITES.comprimidos, tipos=None)
_SE_DEVUELVE: Final = re.compile(rf"[A-Z0-9_]{{1,{LETRAS_DE_LO_DEVUELTO}}}")


class Postback:
    """Quien los atiende.

    Args:
        recepcion: a quién se le dan.
        llavero: las claves del servicio; sin una de postback, sus direcciones no existen.
        segundos_de_cuerpo: lo que se espera a que llegue un formulario.
    """

    def __init__(self, recepcion: Recepcion, llavero: Llavero, segundos_de_cuerpo: float) -> None:
        self._recepcion = recepcion
        self._llavero = llavero
        self._segundos_de_cuerpo = segundos_de_cuerpo

    def rutas(self) -> list[RutaDescrita]:
        """Las suyas."""
        return [self._ruta("GET", _EN_LA_URL), self._ruta("POST", _EN_UN_FORMULARIO)]

    def _ruta(self, metodo: Literal["GET", "POST"], operacion: Operacion) -> RutaDescrita:
        return RutaDescrita(
            plantilla=PLANTILLA,
            metodo=metodo,
            atencion=self._atender,
            alcance=Alcance.CAPTURA,
            dialecto=Dialecto.POSTBACK,
            operacion=operacion,
        )

    async def _atender(self, peticion: Request) -> Response:
        en_la_url = peticion.scope["query_string"]
        parametros = _leidos(en_la_url)
        cabecera = clave_presentada(cabeceras_de(peticion))
        presentada = cabecera or _unica(parametros, CLAVE)
        # A quien la trae mala donde se ve sin leer el cuerpo, no se le lee.
        clave = None if presentada is None else self._abrir(peticion, presentada)
        cuerpo = b""
        if peticion.method == HTTPMethod.POST:
            cuerpo = await self._formulario(peticion)
            parametros = [*parametros, *_leidos(cuerpo)]
            _exigir_pocos(parametros)
        if clave is None:
            presentada = _unica(parametros, CLAVE)
            clave = self._abrir(peticion, presentada)
        tabla = TABLAS.get(peticion.path_params["dialecto"])
        if tabla is None:
            raise no_encontrado()
        acuse = _acuse(parametros, tabla)
        if peticion.method == HTTPMethod.HEAD:
            return Response(acuse, media_type="text/plain")
        cobrar(peticion, 1, len(en_la_url) + len(cuerpo))
        return await self._recibir(peticion, _sin(presentada, parametros), tabla, clave, acuse)

    async def _recibir(
        self, peticion: Request, parametros: Parametros, tabla: Tabla, clave: Clave, acuse: str
    ) -> Response:
        entrada = entrada_de(parametros, tabla, clave.permiso)
        suertes = await self._recepcion.recibir([entrada], traza=traza_de(peticion), permiso=clave.permiso)
        cabeceras = cuentas_de(suertes)
        if isinstance(suertes[0], SinConfirmar):
            con_id = "id" in entrada.cuerpo or entrada.id_derivado is not None
            raise _sin_broker(cabeceras, con_id=con_id)
        return Response(acuse, media_type="text/plain", headers=cabeceras)

    async def _formulario(self, peticion: Request) -> bytes:
        """El cuerpo, que puede no haber: entonces da igual de qué tipo se dice que es."""
        cabeceras = cabeceras_de(peticion)
        con_tipo = b"content-type" in cabeceras and cabeceras.get(b"content-length", ("",))[0] != "0"
        return await leer_cuerpo(peticion, self._segundos_de_cuerpo, _LIMITES if con_tipo else _SIN_TIPO)

    def _abrir(self, peticion: Request, presentada: str | None) -> Clave:
        clave = None if presentada is None else self._llavero.abrir(presentada)
        if clave is None:
            raise _sin_clave()
        admitir(peticion, clave, Alcance.CAPTURA, Dialecto.POSTBACK)
        return clave


def _leidos(escritos: bytes) -> list[tuple[str, str]]:
    """Los parámetros de una consulta o de un formulario; lo que no es UTF-8 queda como sustitutos sueltos.

    Raises:
        ErrorHTTP: 422, son demasiados.
    """
    try:
        return parse_qsl(
            escritos.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=PARAMETROS_MAXIMOS,
        )
    except ValueError:
        raise _demasiados() from None


def _exigir_pocos(parametros: Parametros) -> None:
    if len(parametros) > PARAMETROS_MAXIMOS:
        raise _demasiados()


def _unica(parametros: Parametros, nombre: str) -> str | None:
    """Lo que dice ese parámetro; `None` si falta o dice dos cosas."""
    valores = {valor for suyo, valor in parametros if suyo == nombre}
    return valores.pop() if len(valores) == 1 else None


def _sin(clave: str | None, parametros: Parametros) -> Parametros:
    """Los parámetros que no llevan la clave, esté donde esté."""
    return [(nombre, valor) for nombre, valor in parametros if clave is None or clave not in nombre + valor]


def _acuse(parametros: Parametros, tabla: Tabla) -> str:
    for nombre in tabla.devolver:
        pedido = _unica(parametros, nombre)
        if pedido is not None and _SE_DEVUELVE.fullmatch(pedido):
            return pedido
    return ACUSE


def _sin_clave() -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.UNAUTHORIZED,
        "clave_requerida",
        "Clave requerida",
        f"Hace falta una clave del dialecto {Dialecto.POSTBACK}, que no haya caducado ni se haya revocado, "
        f"en el parámetro «{CLAVE}» o en «Authorization: Bearer …».",
        cabeceras={"WWW-Authenticate": 'Bearer realm="alpespartners"'},
    )


def _demasiados() -> ErrorHTTP:
    return datos_invalidos(
        [Fallo("", CodigoDePeticion.PARAMETRO_INVALIDO, f"hay más de {PARAMETROS_MAXIMOS} parámetros")]
    )


def _sin_broker(cabeceras: Mapping[str, str], *, con_id: bool) -> ErrorHTTP:
    que_pasa = (
        "Repetirlo tal cual es seguro."
        if con_id
        else "Sin el id de la conversión ni su clic, si se repite puede contar dos veces."
    )
    return ErrorHTTP(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "broker_no_disponible",
        "Broker no disponible",
        f"El broker no lo confirmó. {que_pasa}",
        cabeceras={**cabeceras, "Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )


_CUENTA: Final[Esquema] = {"required": True, "schema": {"type": "integer"}}
_CONTESTACIONES: Final[Mapping[int, Contestacion]] = {
    200: Contestacion(
        descripcion=f"Recibido: consta, valga o no. El cuerpo es «{ACUSE}» o lo que pide «{DEVOLVER}».",
        formas=(str,),
        ejemplos={"recibido": ACUSE},
        tipo="text/plain",
        cabeceras={f"Alpes-{cuales}": _CUENTA for cuales in ("Aceptados", "Rechazados", "Ignorados")},
    ),
    401: contestacion_de_error(
        "401_postback",
        "Falta la clave, no es ninguna, o ya no vale.",
        _sin_clave(),
        cabeceras={"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    ),
    404: NO_ENCONTRADO,
    503: contestacion_de_error(
        "503_postback", "El broker no lo confirmó.", _sin_broker({}, con_id=True), cabeceras=REINTENTO
    ),
}
_ETIQUETA: Final = Etiqueta("postback", "De lo que avisa una red, como una URL.")
_DESCRIPCION: Final = (
    "Los parámetros son los de cada red, y los nombres de los campos de una conversión, que valen en "
    f"todas. Caben {PARAMETROS_MAXIMOS}; lo que no es un campo queda entre las propiedades. Hace falta una "
    f"clave del dialecto `{Dialecto.POSTBACK}`: sin ninguna, la dirección no existe. Un reintento es un "
    "duplicado; qué fue de cada uno lo dice su destino. `HEAD` no registra nada."
)
_PARAMETROS: Final = (
    Parametro(
        nombre="dialecto",
        lugar="path",
        esquema={"enum": [*TABLAS]},
        descripcion="De quién son los nombres de los parámetros.",
        ejemplo="keitaro",
    ),
    Parametro(
        nombre=CLAVE,
        lugar="query",
        esquema={"type": "string"},
        descripcion="La clave, si no va en `Authorization`.",
    ),
    Parametro(
        nombre=ESTADOS,
        lugar="query",
        esquema={"type": "string"},
        descripcion="Qué es cada estado: un tipo de conversión, o `-`, que es ninguna.",
        ejemplo="approved:VENTA,hold:-",
    ),
    Parametro(
        nombre=DEVOLVER,
        lugar="query",
        esquema={"type": "string"},
        descripcion=f"Qué responder: hasta {LETRAS_DE_LO_DEVUELTO} mayúsculas, cifras y guiones bajos.",
        ejemplo=ACUSE,
    ),
)
_EN_LA_URL: Final = Operacion(
    id="registrar_postback",
    etiqueta=_ETIQUETA,
    resumen="Registrar la conversión de un postback",
    descripcion=_DESCRIPCION,
    parametros=_PARAMETROS,
    contestaciones=_CONTESTACIONES,
)
_EN_UN_FORMULARIO: Final = Operacion(
    id="registrar_postback_en_un_formulario",
    etiqueta=_ETIQUETA,
    resumen="Registrar la conversión de un postback que llega como formulario",
    descripcion=f"{_DESCRIPCION} Los parámetros pueden ir en la URL, en el formulario o en los dos.",
    parametros=_PARAMETROS,
    cuerpo=CuerpoPedido(
        nombre="Postback",
        esquema={"type": "object", "additionalProperties": {"type": "string"}},
        ejemplo={"subid": "clic-1", "tid": "venta-1", "payout": "9.90", "currency": "USD", "status": "sale"},
        limites=_LIMITES,
        tipo=FORMULARIO,
    ),
    contestaciones={
        **_CONTESTACIONES,
        400: contestacion_de_error("400_postback", "El cuerpo no es el gzip que dice ser.", gzip_ilegible()),
    },
)
