"""`POST /tracking/…`: de una petición a un comando confirmado por el broker y, si se prefiere, a su destino.

Qué es: los pasos 1 a 4 del flujo vistos desde HTTP, y la espera de `Prefer: wait=N`.
Qué no es: reglas de los datos (dominio) ni la vigilancia de lo que se espera (`aplicacion/esperas.py`).
Por qué existe: un 202 es una promesa; sale solo cuando el broker confirmó el comando. Quien espera y no
recibe el destino a tiempo recibe esa misma promesa.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.clave_de_idempotencia import CABECERA, ESQUEMA, clave_de_idempotencia
from alpespartners.api.http.claves import Alcance, clave_de, permiso_de
from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.descripcion import Contestacion, Esquema, Operacion, Parametro
from alpespartners.api.http.espera import en_el_plazo
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.preferencias import (
    ESPERA_MAXIMA,
    SIN_PREFERENCIAS,
    Preferencias,
    preferencias,
    preferencias_aplicadas,
)
from alpespartners.api.http.problemas import datos_invalidos
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.traza import traza_de
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.presentacion import Aceptado, YaRegistrado
from alpespartners.api.tracking.problemas import (
    EN_CONFLICTO,
    NO_VALIDO_O_NEGADO,
    SIN_BROKER,
    almacenamiento_lleno,
    broker_no_disponible,
    envio_negado,
)
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.conflictos import lo_visible
from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS, Asentado, Desenlace, Esperas
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.aplicacion.puertos import (
    AlmacenamientoLleno,
    BrokerNoDisponible,
    DespachadorComandos,
)
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo, Recolector
from alpespartners.seedwork.json_estricto import leer_json

_DESCRIPCION: Final = (
    "Responde cuando el broker confirmó el comando. Con 503, o sin respuesta, repetir con el mismo `id` es "
    "seguro; el `id` asignado viene en el cuerpo del 503. Un cliente que no envía `id` y no recibe respuesta "
    "no puede repetir con seguridad.\n\n"
    "Con `Prefer: wait=N` (RFC 7240) la respuesta espera hasta N segundos a saber qué fue del envío: 201 si "
    "quedó registrado, 200 si ya lo estaba con el mismo contenido, 409 si ese `id` ya tiene otro contenido, "
    "y 202 si N segundos no bastaron: el envío sigue a salvo y se puede preguntar por su destino.\n\n"
    "Los `id` son un solo espacio para todas las campañas y para todos los que envían: el pedido 1001 de dos "
    "tiendas es un conflicto. Póngales un prefijo, como `tienda-1001`. El `id` puede ir también en la "
    "cabecera `Idempotency-Key`.\n\n"
    "Lo que solo describe (`user_agent`, `ip_address`, `referrer`, `propiedades` y los campos desconocidos, "
    "que pasan a ellas) nunca es motivo de rechazo: se repara o se descarta, y `advertencias` lo dice. Con "
    "`Prefer: handling=strict` un campo desconocido es un 422 que propone a cuál se parece.\n\n"
    "Además de los campos descritos se admite `campana_id` en lugar de `campaña_id`, y los tipos y la moneda "
    "también en minúsculas."
)
PREFER: Final = Parametro(
    nombre="Prefer",
    lugar="header",
    esquema={
        "anyOf": [
            {"type": "string", "title": "Esperar", "pattern": "^wait=[0-9]{1,2}$"},
            {"type": "string", "title": "Cualquier otra preferencia"},
        ]
    },
    descripcion=(
        f"`wait=N`: esperar el destino hasta N segundos, con un máximo de {ESPERA_MAXIMA}. Lo que no se "
        f"entiende se ignora. Si ya esperan {ESPERAS_MAXIMAS} envíos, el 202 sale sin esperar.\n\n"
        "`handling=strict`: rechazar los campos desconocidos. Las dos, separadas por una coma."
    ),
)
_CLAVE: Final = Parametro(
    nombre=CABECERA,
    lugar="header",
    esquema=ESQUEMA,
    # Sin `ejemplo`: la página lo enviaría junto al del cuerpo, que lleva otro `id`.
    descripcion=(
        'El `id`, si no va en el cuerpo, como `"pedido-7"`, con comillas o sin ellas; si va en los dos, '
        "tiene que ser el mismo."
    ),
)


_CABECERA_CRUDA: Final = CABECERA.lower().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envios:
    """Los puntos de envío: a quién publican, dónde esperan y de dónde salen la hora y los ids."""

    despachador: DespachadorComandos
    esperas: Esperas
    reloj: Callable[[], datetime]
    nuevo_id: Callable[[], str]
    segundos_de_cuerpo: float

    def ruta(self, clase: ClaseHTTP) -> RutaDescrita:
        """La de los envíos de una clase."""

        async def atender(peticion: Request) -> Response:
            octetos = await leer_cuerpo(peticion, self.segundos_de_cuerpo)
            cobrar(peticion, 1, len(octetos))
            return await self.recibir(peticion, clase, leer_json(octetos))

        return RutaDescrita(
            plantilla=clase.ruta,
            metodo="POST",
            atencion=atender,
            alcance=Alcance.CAPTURA,
            operacion=_operacion(clase),
        )

    async def recibir(
        self,
        peticion: Request,
        clase: ClaseHTTP,
        cuerpo: object,
        *,
        traza: str | None = None,
        id_derivado: str | None = None,
    ) -> Response:
        """La respuesta a un envío ya leído.

        Args:
            peticion: la que lo trajo, con sus preferencias, su clave y su consulta.
            clase: de cuál es.
            cuerpo: el JSON que llevaría por su ruta.
            traza: la suya, si no es la de la petición.
            id_derivado: el `id` que vale si no se dice ninguno.

        Raises:
            ErrorHTTP: 422, con todas las faltas, o 503.
        """
        preferidas = preferencias(cabeceras_de(peticion).get(b"prefer", ()))
        comando = self._comando(peticion, cuerpo, clase.clase, preferidas, id_derivado)
        comando_id = self.nuevo_id()
        try:
            await self.despachador.publicar(comando, comando_id=comando_id, traza=traza or traza_de(peticion))
        except AlmacenamientoLleno:
            raise almacenamiento_lleno(comando.id) from None
        except BrokerNoDisponible:
            raise broker_no_disponible(comando.id) from None
        envio = _Envio(clase, comando, comando_id)
        if preferidas == SIN_PREFERENCIAS:
            return envio.aceptado()
        return await self._esperar(envio, peticion, preferidas)

    def _comando(
        self,
        peticion: Request,
        cuerpo: object,
        clase: Clase,
        preferidas: Preferencias,
        id_derivado: str | None,
    ) -> Comando:
        """El comando que pide la petición.

        Raises:
            ErrorHTTP: 422, con las faltas de la consulta, de las cabeceras y del cuerpo; o 403, la clave no
                vale para esa campaña.
        """
        recolector = Recolector()
        if peticion.scope["query_string"]:
            leer_parametros(peticion.scope["query_string"], (), recolector)
        clave = recolector.intentar(clave_de_idempotencia, cabeceras_de(peticion).get(_CABECERA_CRUDA, ()))
        faltas = recolector.fallos
        try:
            comando = comando_del_cuerpo(
                clase,
                _objeto(cuerpo),
                id_asignado=self.nuevo_id,
                recibido_en=self.reloj(),
                clave=clave,
                id_derivado=id_derivado,
                estricto=preferidas.rigor,
                permiso=permiso_de(peticion),
            )
        except DatosInvalidos as invalidos:
            raise datos_invalidos([*faltas, *invalidos.fallos], preferidas.aplicadas(espera=False)) from None
        if faltas:
            raise datos_invalidos(faltas, preferidas.aplicadas(espera=False))
        return comando

    async def _esperar(self, envio: "_Envio", peticion: Request, preferidas: Preferencias) -> Response:
        """La respuesta con el destino, si se espera y llega en ese tiempo; si no, la de aceptado."""
        segundos = preferidas.espera
        desenlace = None
        se_espero = segundos is not None
        if segundos:
            with self.esperas.apuntar(envio.clase.clase, envio.evento_id, envio.comando_id) as futuro:
                se_espero = futuro is not None and await en_el_plazo(futuro, peticion, segundos)
                if se_espero and futuro is not None and futuro.done():
                    desenlace = futuro.result()
        respuesta = envio.aceptado() if desenlace is None else envio.decidido(desenlace, peticion)
        respuesta.headers.update(preferidas.aplicadas(espera=se_espero))
        return respuesta


class _Envio(NamedTuple):
    """Un envío que el broker ya confirmó, y las respuestas que puede tener."""

    clase: ClaseHTTP
    comando: Comando
    comando_id: str

    @property
    def evento_id(self) -> str:
        return self.comando.id or ""

    @property
    def _direccion(self) -> dict[str, str]:
        return {"Location": f"{self.clase.ruta}/{quote(self.evento_id, safe='')}"}

    def aceptado(self) -> Response:
        cuerpo = Aceptado(self.evento_id, "ACEPTADA", self.comando_id, self.comando.advertencias)
        return RespuestaJSON(cuerpo, 202, self._direccion)

    def decidido(self, desenlace: Desenlace, peticion: Request) -> Response:
        """201 si lo registró este comando, 200 si ya estaba igual, y si no el problema que lo explica.

        Lo que otro envió solo lo dice a quien puede leerlo.
        """
        if not isinstance(desenlace, Asentado):
            return envio_negado(
                lo_visible(desenlace, permiso_de(peticion).campañas),
                evento_id=self.evento_id,
                comando_id=self.comando_id,
                campaña_id=self.comando.campaña_id,
                influencer_id=self.comando.influencer_id,
            ).respuesta()
        if desenlace.es_nuevo:
            return RespuestaJSON(self.clase.recurso(desenlace.evento), 201, self._direccion)
        if Alcance.LECTURA in clave_de(peticion).alcances:
            return RespuestaJSON(self.clase.repetido(desenlace.evento, desenlace.difieren))
        return RespuestaJSON(
            YaRegistrado(self.evento_id, self.comando_id, desenlace.evento.comando_id, desenlace.difieren)
        )


def _objeto(cuerpo: object) -> Mapping[str, object]:
    if isinstance(cuerpo, dict):
        return cuerpo
    raise DatosInvalidos([Fallo("", CodigoDePeticion.TIPO_INCORRECTO, "el cuerpo debe ser un objeto JSON")])


def _operacion(clase: ClaseHTTP) -> Operacion:
    direccion: Esquema = {
        "description": "Dónde se leerá el evento, con el `id` codificado.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{clase.ruta}/[A-Za-z0-9._~%-]+$"},
    }
    return Operacion(
        id=f"registrar_{clase.clase.nombre}",
        etiqueta=clase.etiqueta,
        resumen=f"Registrar {clase.una}",
        descripcion=_DESCRIPCION,
        parametros=(PREFER, _CLAVE),
        cuerpo=clase.cuerpo,
        contestaciones={
            200: Contestacion(
                descripcion=(
                    "Con `Prefer: wait`: ya estaba registrado con el mismo contenido; es este, y `difieren` "
                    "nombra lo que, sin decidir el dinero, no era igual. A una clave sin el alcance "
                    "`lectura` solo se le dice qué comando lo registró."
                ),
                formas=(clase.forma_repetida, YaRegistrado),
                ejemplos={
                    "lo_registrado": clase.forma_repetida.ejemplos[0],
                    "sin_poder_leer": YaRegistrado.ejemplos[0],
                },
                cabeceras=preferencias_aplicadas(),
            ),
            201: Contestacion(
                descripcion="Con `Prefer: wait`: quedó registrado.",
                formas=(clase.forma,),
                cabeceras={"Location": direccion, **preferencias_aplicadas()},
            ),
            202: Contestacion(
                descripcion="Aceptado y a salvo en el broker.",
                formas=(Aceptado,),
                cabeceras={"Location": direccion, **preferencias_aplicadas(obligatoria=False)},
            ),
            409: EN_CONFLICTO,
            422: NO_VALIDO_O_NEGADO,
            503: SIN_BROKER,
        },
    )
