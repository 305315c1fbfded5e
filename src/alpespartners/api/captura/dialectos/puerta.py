"""Lo común a los puntos de entrada de un dialecto: la clave, el cuerpo, la recepción y la respuesta.

Qué es: de una petición a los destinos de sus sucesos, con los límites de quien escribió ese protocolo.
Qué no es: la forma del cuerpo de cada uno (`segment.py`, `posthog.py`), ni su tabla, ni la lectura de cada
suceso (`lectura.py`).
Por qué existe: un SDK ajeno solo mira si se le respondió bien, y según el código repite o abandona. Lo que se
le niega a un suceso no lo lee nadie: por eso consta, y se responde que se recibió.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.dialectos.apertura import LISTA, Cuerpo, abrir
from alpespartners.api.captura.dialectos.lectura import Lectura
from alpespartners.api.captura.dialectos.tabla import Tabla
from alpespartners.api.captura.dialectos.traduccion import Enviado
from alpespartners.api.captura.resumen_de_suertes import cuentas_de
from alpespartners.api.http.acceso import admitir, cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance, Clave, Dialecto, Llavero
from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.api.http.problemas import (
    SEGUNDOS_PARA_REINTENTAR,
    TIPO_DE_PROBLEMA,
    ErrorHTTP,
    Problema,
    error_de,
)
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.traza import traza_de
from alpespartners.modulos.tracking.aplicacion.recepcion import (
    Entrada,
    Recepcion,
    SinConfirmar,
    Suerte,
)
from alpespartners.seedwork.json_estricto import JsonIlegible
from alpespartners.seedwork.respiro import Respiro

LIMITES: Final = LimitesDeCuerpo(octetos=4_000 * 1024, comprimidos=1024 * 1024, tipos=None)
"""Los de RudderStack, que son los mayores: Segment admite 500 kB. El tipo de contenido no se mira."""
LIMITES_SIN_CABECERA: Final = LimitesDeCuerpo(octetos=64 * 1024, comprimidos=64 * 1024, tipos=None)
"""Los de quien puede decir su clave en la cabecera, y no la dice."""


class Envio(NamedTuple):
    """Lo que trae un cuerpo: los octetos de sus sucesos, cuándo dice que se envió y la clave, si va en él."""

    sucesos: Sequence[bytes]
    enviado: Enviado | None
    clave: object


Completar = Callable[[object], object]
"""De un suceso leído al mismo con lo que dice su dirección y él no."""


def _tal_cual(suceso: object) -> object:
    return suceso


class ProblemaDeDialecto(Problema):
    """Un problema que también dice lo suyo con los nombres que leen los SDK de Segment."""

    success: bool
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Puerta:
    """La entrada de un dialecto.

    Attributes:
        dialecto: cuál; sin una clave suya no hay nada en sus direcciones.
        tabla: la suya.
        acuse: lo que su SDK espera leer cuando todo fue bien.
        limites_sin_cabecera: los del cuerpo si la clave no viene en la cabecera.
    """

    dialecto: Dialecto
    tabla: Tabla
    acuse: Mapping[str, object]
    recepcion: Recepcion
    llavero: Llavero
    segundos_de_cuerpo: float
    limites_sin_cabecera: LimitesDeCuerpo

    def ruta(
        self, plantilla: str, envio_de: Callable[[Cuerpo], Envio], completar: Completar = _tal_cual
    ) -> Ruta:
        """La de las peticiones cuyo cuerpo se entiende así, y cuyos sucesos se completan así."""

        async def atender(peticion: Request) -> Response:
            try:
                return await self._recibir(peticion, envio_de, completar)
            except (ErrorHTTP, JsonIlegible) as fallo:
                return _negativa(error_de(fallo))

        return Ruta(
            plantilla=plantilla,
            metodo="POST",
            atencion=atender,
            alcance=Alcance.CAPTURA,
            dialecto=self.dialecto,
        )

    async def _recibir(
        self, peticion: Request, envio_de: Callable[[Cuerpo], Envio], completar: Completar
    ) -> Response:
        presentada = _de_la_cabecera(peticion)
        # A quien la trae mala en la cabecera no se le lee el cuerpo.
        clave = None if presentada is None else self._abrir_clave(peticion, presentada)
        octetos = await self._leer(peticion, LIMITES if clave is not None else self.limites_sin_cabecera)
        envio = envio_de(await abrir(octetos, Respiro()))
        if clave is None:
            clave = self._abrir_clave(peticion, envio.clave)
        cobrar(peticion, len(envio.sucesos), len(octetos))
        permiso = clave.permiso
        lectura = Lectura(
            tabla=self.tabla,
            permiso=permiso,
            enviado=envio.enviado,
            recibido_en=self.recepcion.reloj(),
            completar=completar,
        )
        tendran_otro_id: list[bool] = []

        def entradas() -> Iterator[Entrada]:
            for suceso in envio.sucesos:
                entrada = lectura.entrada(suceso)
                tendran_otro_id.append(entrada.id_derivado is None)
                yield entrada

        # Cada una se lee cuando se va a juzgar: leídas todas a la vez ocuparían muchas veces lo que miden.
        suertes = await self.recepcion.recibir(entradas(), traza=traza_de(peticion), permiso=permiso)
        return self._respuesta(suertes, sum(tendran_otro_id))

    async def _leer(self, peticion: Request, limites: LimitesDeCuerpo) -> bytes:
        """El cuerpo.

        Raises:
            ErrorHTTP: las de `leer_cuerpo`.
        """
        try:
            return await leer_cuerpo(peticion, self.segundos_de_cuerpo, limites)
        except ErrorHTTP as error:
            if error.estado == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and limites == LIMITES_SIN_CABECERA:
                raise _demasiado_sin_cabecera() from None
            raise

    def _abrir_clave(self, peticion: Request, presentada: object) -> Clave:
        clave = self.llavero.abrir(presentada) if isinstance(presentada, str) else None
        if clave is None:
            raise _sin_clave(self.dialecto)
        admitir(peticion, clave, Alcance.CAPTURA, self.dialecto)
        return clave

    def _respuesta(self, suertes: Sequence[Suerte], sin_id: int) -> Response:
        """200 si el broker los guardó todos; si no, 503: el SDK repite el envío.

        Args:
            suertes: la de cada uno.
            sin_id: cuántos tendrán otro `id` si se repiten.
        """
        cabeceras = cuentas_de(suertes)
        if not any(isinstance(suerte, SinConfirmar) for suerte in suertes):
            return RespuestaJSON(self.acuse, headers=cabeceras)
        respuesta = _negativa(_sin_broker(sin_id))
        respuesta.headers.update(cabeceras)
        return respuesta


def exigir_sucesos(cuerpo: Cuerpo) -> Sequence[bytes]:
    """Los de la lista de un cuerpo.

    Raises:
        ErrorHTTP: 400, no la trae.
    """
    if cuerpo.sucesos is not None:
        return cuerpo.sucesos
    raise ErrorHTTP(
        400, "sin_sucesos", "Sin sucesos", f"El cuerpo debe llevar en «{LISTA}» una lista de sucesos."
    )


def _de_la_cabecera(peticion: Request) -> str | None:
    """El usuario de `Authorization: Basic` (RFC 7617); la contraseña, que va vacía, no se mira."""
    valores = cabeceras_de(peticion).get(b"authorization", ())
    if len(valores) != 1:
        return None
    esquema, _, resto = valores[0].partition(" ")
    if esquema.lower() != "basic":
        return None
    try:
        return b64decode(resto.strip(), validate=True).decode("utf-8").partition(":")[0]
    except ValueError:
        return ""


def _negativa(error: ErrorHTTP) -> Response:
    suyo = error.problema
    problema = ProblemaDeDialecto(
        type=suyo.type,
        title=suyo.title,
        status=suyo.status,
        detail=suyo.detail,
        success=False,
        code=error.codigo,
        message=suyo.detail,
    )
    return RespuestaJSON(problema, error.estado, error.cabeceras, TIPO_DE_PROBLEMA)


def _sin_clave(dialecto: Dialecto) -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.UNAUTHORIZED,
        "clave_requerida",
        "Clave requerida",
        f"Hace falta una clave del dialecto {dialecto}, que no haya caducado ni se haya revocado.",
        cabeceras={"WWW-Authenticate": 'Basic realm="alpespartners"'},
    )


def _demasiado_sin_cabecera() -> ErrorHTTP:
    return ErrorHTTP(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "cuerpo_demasiado_grande",
        "Cuerpo demasiado grande",
        f"Sin la clave en la cabecera «Authorization: Basic», el cuerpo pasa de "
        f"{LIMITES_SIN_CABECERA.octetos // 1024} KiB; con ella, cabe hasta {LIMITES.octetos // 1024} KiB.",
    )


def _sin_broker(sin_id: int) -> ErrorHTTP:
    que_pasa = (
        f"Si se repite, {sin_id} de ellos, sin identificador ni instante, pueden contar dos veces."
        if sin_id
        else "Repetir el envío tal cual es seguro."
    )
    return ErrorHTTP(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "broker_no_disponible",
        "Broker no disponible",
        f"El broker no confirmó todos los sucesos. {que_pasa}",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )
