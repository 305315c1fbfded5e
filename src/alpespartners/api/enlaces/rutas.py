"""`/tracking/enlaces`: hacer enlaces cortos, verlos, cambiarlos y firmar otro destino.

Qué es: cada ruta con su descripción.
Qué no es: las reglas de un enlace (`modulos/enlaces`) ni la redirección, que es de quien lo sigue.

Escribir pide una clave con dos alcances, `captura` y `lectura`. Con uno no basta: la de solo captura va en
tiendas y aplicaciones, y quien la sacara de ahí cambiaría adónde va la gente; la de solo lectura no escribe;
y la de `operacion`, que la tiene quien vigila el servicio, no puede ser de unas campañas.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.enlaces.cuerpos import CAMBIO, DE_UN_CAMBIO, NUEVO, POR_FIRMAR
from alpespartners.api.enlaces.presentacion import (
    DestinoFirmado,
    EnlaceCorto,
    PaginaEnlaces,
    firmado,
    pagina_presentada,
    presentado,
)
from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.claves import Alcance, permiso_de, puede_leer
from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.descargas import NO_SE_PUEDE_DESCARGAR, en_otros_formatos
from alpespartners.api.http.descripcion import Contestacion, Esquema, Etiqueta, Operacion, Parametro
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.api.http.esquemas import IDENTIFICADOR
from alpespartners.api.http.formatos import FORMATO
from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.paginas import ENLACE, Listado, parametro_cursor, parametro_limite
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.problemas import (
    NO_ENCONTRADO,
    SIN_BASE_DE_DATOS,
    ErrorHTTP,
    contestacion_de_error,
    datos_invalidos,
    no_encontrado,
)
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.modulos.enlaces.aplicacion.edicion import enlace_cambiado, enlace_nuevo
from alpespartners.modulos.enlaces.aplicacion.firma import por_firmar
from alpespartners.modulos.enlaces.aplicacion.listado import (
    PARAMETROS,
    PeticionDeEnlaces,
    listar_enlaces,
    peticion_de_enlaces,
)
from alpespartners.modulos.enlaces.aplicacion.puertos import Enlaces
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.enlace import FORMA_DE_ENLACE, Enlace
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo
from alpespartners.seedwork.json_estricto import leer_json

RUTA: Final = "/tracking/enlaces"

_ENLACES: Final = Etiqueta("enlaces", "Enlaces cortos que recuerdan de quién es cada clic.")
_ENLACE_ID: Final = Parametro(
    nombre="enlace_id",
    lugar="path",
    esquema={"type": "string", "pattern": f"^{FORMA_DE_ENLACE}$"},
    ejemplo="juan-verano",
)
_FILTROS: Final = (
    parametro_limite("Cuántos enlaces como mucho."),
    parametro_cursor("solo vale con los mismos filtros."),
    Parametro(
        nombre="campaña_id",
        lugar="query",
        esquema=IDENTIFICADOR,
        descripcion="Solo los de esta campaña; también se escribe `campana_id`.",
    ),
    Parametro(
        nombre="influencer_id",
        lugar="query",
        esquema=IDENTIFICADOR,
        descripcion="Solo los de este influencer.",
    ),
)
_DONDE: Final[Esquema] = {
    "description": "Dónde se lee el enlace.",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{RUTA}/{FORMA_DE_ENLACE}$"},
}
_QUIEN_PUEDE: Final = (
    "La clave ha de tener los alcances `captura` y `lectura` y, si es de unas campañas, valer para la suya."
)


def _ya_existe() -> ErrorHTTP:
    return ErrorHTTP(
        409,
        "enlace_existente",
        "Enlace existente",
        "Ya hay un enlace con ese enlace_id que no dice lo mismo: cámbielo (PATCH), o elija otro nombre.",
    )


_EN_CONFLICTO: Final = contestacion_de_error(
    "409_enlace", "Ese `enlace_id` ya es de otro enlace.", _ya_existe()
)
_NO_VALIDO: Final = contestacion_de_error(
    "422_enlace",
    "Hay datos no válidos; se dicen todos.",
    datos_invalidos(
        [
            Fallo("campaña_id", Codigo.REQUERIDO, "es obligatorio"),
            Fallo("destino", Codigo.VALOR_NO_PERMITIDO, "no puede llevar usuario ni contraseña"),
        ]
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RutasDeEnlaces:
    """Los enlaces por HTTP: dónde se guardan, con qué se firma y de dónde sale la hora, en UTC."""

    enlaces: Enlaces
    secretos: Secretos
    reloj: Callable[[], datetime]
    segundos_de_cuerpo: float

    def rutas(self) -> list[RutaDescrita]:
        """Las de un enlace y la de la lista."""
        return [self._de_crear(), self._de_listar(), self._de_ver(), self._de_cambiar(), self._de_firmar()]

    def _de_crear(self) -> RutaDescrita:
        async def atender(peticion: Request) -> Response:
            sin_parametros(peticion)
            pedido = enlace_nuevo(await self._cuerpo(peticion), self.reloj())
            permiso_de(peticion).exigir(pedido.campaña_id)
            queda, es_nuevo = await self.enlaces.agregar(pedido)
            if not es_nuevo and not queda.dice_lo_mismo(pedido):
                raise _ya_existe()
            return RespuestaJSON(
                presentado(queda, direccion_del_servicio(peticion)),
                201 if es_nuevo else 200,
                {"Location": f"{RUTA}/{queda.enlace_id}"},
            )

        return RutaDescrita(
            plantilla=RUTA,
            metodo="POST",
            atencion=atender,
            alcance=Alcance.CAPTURA,
            tambien=Alcance.LECTURA,
            operacion=Operacion(
                id="crear_enlace",
                etiqueta=_ENLACES,
                resumen="Crear un enlace corto",
                descripcion=(
                    "Con su `enlace_id`, repetirlo es seguro: el mismo contenido es un 200, y otro, un 409. "
                    f"Sin él, cada vez se hace uno. {_QUIEN_PUEDE}"
                ),
                cuerpo=NUEVO,
                contestaciones={
                    200: Contestacion(
                        descripcion="Ya estaba, y dice lo mismo.",
                        formas=(EnlaceCorto,),
                        cabeceras={"Location": _DONDE},
                    ),
                    201: Contestacion(
                        descripcion="Se creó.", formas=(EnlaceCorto,), cabeceras={"Location": _DONDE}
                    ),
                    409: _EN_CONFLICTO,
                    422: _NO_VALIDO,
                    503: SIN_BASE_DE_DATOS,
                },
            ),
        )

    def _de_listar(self) -> RutaDescrita:
        async def atender(peticion: Request) -> Response:
            servicio = direccion_del_servicio(peticion)

            async def pagina(pedido: PeticionDeEnlaces) -> PaginaEnlaces:
                return pagina_presentada(await listar_enlaces(self.enlaces, pedido), servicio)

            return await Listado(
                direccion=RUTA,
                nombre=("enlaces",),
                forma=EnlaceCorto,
                admitidos=PARAMETROS,
                leer=peticion_de_enlaces,
                pagina=pagina,
            ).responder(peticion)

        return RutaDescrita(
            plantilla=RUTA,
            metodo="GET",
            atencion=atender,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            operacion=Operacion(
                id="listar_enlaces",
                etiqueta=_ENLACES,
                resumen="Listar los enlaces cortos",
                descripcion=(
                    "Del último que se hizo al primero. Una clave de unas campañas ha de decir de cuál. En "
                    "CSV o NDJSON, sin `limite` va entera."
                ),
                parametros=(*_FILTROS, FORMATO),
                contestaciones={
                    200: Contestacion(
                        descripcion="Una página.",
                        formas=(PaginaEnlaces,),
                        otros_formatos=en_otros_formatos(EnlaceCorto, EnlaceCorto.ejemplos),
                        cabeceras={"Link": ENLACE},
                    ),
                    503: NO_SE_PUEDE_DESCARGAR,
                },
            ),
        )

    def _de_ver(self) -> RutaDescrita:
        async def atender(peticion: Request) -> Response:
            sin_parametros(peticion)
            hallado = await self._suyo(peticion)
            return RespuestaJSON(presentado(hallado, direccion_del_servicio(peticion)))

        return RutaDescrita(
            plantilla=f"{RUTA}/{{enlace_id}}",
            metodo="GET",
            atencion=atender,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            operacion=Operacion(
                id="obtener_enlace",
                etiqueta=_ENLACES,
                resumen="Obtener un enlace corto",
                parametros=(_ENLACE_ID,),
                contestaciones={
                    200: Contestacion(descripcion="El enlace.", formas=(EnlaceCorto,)),
                    404: NO_ENCONTRADO,
                    503: SIN_BASE_DE_DATOS,
                },
            ),
        )

    def _de_cambiar(self) -> RutaDescrita:
        async def atender(peticion: Request) -> Response:
            sin_parametros(peticion)
            cambios = await self._cuerpo(peticion, DE_UN_CAMBIO)

            def cambio(enlace: Enlace) -> Enlace:
                if not puede_leer(peticion, enlace.campaña_id):
                    raise no_encontrado()
                return enlace_cambiado(enlace, cambios)

            queda = await self.enlaces.cambiar(peticion.path_params["enlace_id"], cambio)
            if queda is None:
                raise no_encontrado()
            return RespuestaJSON(presentado(queda, direccion_del_servicio(peticion)))

        return RutaDescrita(
            plantilla=f"{RUTA}/{{enlace_id}}",
            metodo="PATCH",
            atencion=atender,
            alcance=Alcance.CAPTURA,
            tambien=Alcance.LECTURA,
            operacion=Operacion(
                id="cambiar_enlace",
                etiqueta=_ENLACES,
                resumen="Cambiar un enlace corto",
                descripcion=(
                    "RFC 7396: lo que no se dice sigue igual, y `null` quita. La campaña, el influencer y el "
                    "parámetro del clic no cambian: con otros es otro enlace. Los procesos que redirigen lo "
                    f"ven a los cinco segundos como mucho. {_QUIEN_PUEDE}"
                ),
                parametros=(_ENLACE_ID,),
                cuerpo=CAMBIO,
                contestaciones={
                    200: Contestacion(descripcion="Cómo queda.", formas=(EnlaceCorto,)),
                    404: NO_ENCONTRADO,
                    422: _NO_VALIDO,
                    503: SIN_BASE_DE_DATOS,
                },
            ),
        )

    def _de_firmar(self) -> RutaDescrita:
        async def atender(peticion: Request) -> Response:
            sin_parametros(peticion)
            cuerpo = await self._cuerpo(peticion)
            enlace = await self._suyo(peticion)
            pedido = por_firmar(enlace, cuerpo, self.reloj())
            secreto = (await self.secretos.todos())[0]
            return RespuestaJSON(firmado(enlace, pedido, secreto, direccion_del_servicio(peticion)))

        return RutaDescrita(
            plantilla=f"{RUTA}/{{enlace_id}}/firma",
            metodo="POST",
            atencion=atender,
            alcance=Alcance.CAPTURA,
            tambien=Alcance.LECTURA,
            operacion=Operacion(
                id="firmar_destino",
                etiqueta=_ENLACES,
                resumen="Firmar otro destino para un enlace corto",
                descripcion=(
                    "Sin firma, o fuera de `dominios_permitidos`, quien siga el enlace va al destino "
                    f"guardado. No guarda nada. {_QUIEN_PUEDE}"
                ),
                parametros=(_ENLACE_ID,),
                cuerpo=POR_FIRMAR,
                contestaciones={
                    200: Contestacion(descripcion="El enlace firmado.", formas=(DestinoFirmado,)),
                    404: NO_ENCONTRADO,
                    422: _NO_VALIDO,
                    503: SIN_BASE_DE_DATOS,
                },
            ),
        )

    async def _suyo(self, peticion: Request) -> Enlace:
        """El de la dirección, si la clave deja verlo; el de otra campaña es como uno que no existe."""
        hallado = await self.enlaces.leer(peticion.path_params["enlace_id"])
        if hallado is None or not puede_leer(peticion, hallado.campaña_id):
            raise no_encontrado()
        return hallado

    async def _cuerpo(
        self, peticion: Request, limites: LimitesDeCuerpo = DE_UN_EVENTO
    ) -> Mapping[str, object]:
        octetos = await leer_cuerpo(peticion, self.segundos_de_cuerpo, limites)
        cobrar(peticion, 1, len(octetos))
        cuerpo = leer_json(octetos)
        if isinstance(cuerpo, dict):
            return cuerpo
        raise DatosInvalidos(
            [Fallo("", CodigoDePeticion.TIPO_INCORRECTO, "el cuerpo debe ser un objeto JSON")]
        )
