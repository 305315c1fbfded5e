"""`GET /tracking/conversiones/{id}/clic`: qué fue del clic del que una conversión dice venir."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance, puede_leer
from alpespartners.api.http.descripcion import Contestacion, CuerpoDescrito, Operacion, Parametro
from alpespartners.api.http.esquemas import IDENTIFICADOR
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.problemas import SIN_BASE_DE_DATOS, no_encontrado
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.api.tracking.problemas import SIN_EVENTO, evento_no_encontrado
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.clic_de_conversion import (
    EstadoDelClic,
    MotivoDelClic,
    Ocurrencia,
    estado_del_clic,
    motivo_del_clic,
)
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta, Lecturas
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic
from alpespartners.modulos.tracking.dominio.objetos_valor import (
    CLIC_ID_RECIBIDO,
    TipoEvento,
    id_consultable,
)

_NO_VALE: Final[Mapping[str, MotivoDelClic]] = {
    ClaseDeClic.BOT: MotivoDelClic.DE_ROBOT,
    ClaseDeClic.INVALIDO: MotivoDelClic.INVALIDO,
}
_EJEMPLO: Final = "jQGQAAAAAHAAgAAAAAAAAAF5qzM2n4Wn0X3uYb0m2vQ4kLs"


class ClicDeConversion(CuerpoDescrito):
    """El clic del que una conversión dice venir, y si se puede dar por bueno."""

    ejemplos = ({"clic_id": _EJEMPLO, "estado": "EN_ESPERA", "motivo": "clic_desconocido"},)

    clic_id: Annotated[
        str | None, Meta(description="El que dice la conversión, también si no podía ser ninguno.")
    ]
    estado: Annotated[EstadoDelClic, Meta(description="`EN_ESPERA` es que su registro puede llegar todavía.")]
    motivo: Annotated[
        MotivoDelClic | None,
        Meta(
            description=(
                "`null` si vale. `clic_falsificado`: tiene la forma de los de este servicio, y su firma no. "
                "`clic_ajeno`: no es de este servicio y nadie registró uno así. `clic_desconocido`: es de "
                "este servicio, y su registro no ha llegado. `clic_vencido`: pasaron más de "
                "`ALPES_DIAS_DE_CLIC` días. `clic_posterior`: fue más de un día después de la conversión. "
                "`clic_bot` y `clic_invalido`: lo dice la `lectura` del clic."
            )
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClicsDeConversiones:
    """Dónde se leen, con qué se comprueba un clic y cuánto puede haber entre él y la conversión."""

    lecturas: Lecturas
    secretos: Secretos
    ventana: timedelta

    def ruta(self) -> RutaDescrita:
        """La que lo dice."""
        return RutaDescrita(
            plantilla=f"{CONVERSIONES.ruta}/{{id}}/clic",
            metodo="GET",
            atencion=self._atender,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            operacion=Operacion(
                id="clic_de_conversion",
                etiqueta=CONVERSIONES.etiqueta,
                resumen="Saber qué fue del clic de una conversión",
                descripcion=(
                    "Se juzga al preguntar, con lo registrado hasta ahora: un clic que llega tarde cambia la "
                    "respuesta. Una conversión no se rechaza nunca por su clic."
                ),
                parametros=(
                    Parametro(
                        nombre="id",
                        lugar="path",
                        esquema=IDENTIFICADOR,
                        ejemplo=CONVERSIONES.cuerpo.ejemplo["id"],
                    ),
                ),
                contestaciones={
                    200: Contestacion(descripcion="Qué fue de él.", formas=(ClicDeConversion,)),
                    404: SIN_EVENTO,
                    503: SIN_BASE_DE_DATOS,
                },
            ),
        )

    async def _atender(self, peticion: Request) -> Response:
        sin_parametros(peticion)
        conversion_id = peticion.path_params["id"]
        if id_consultable(conversion_id) is None:
            raise no_encontrado()
        conversion, clic = await self.lecturas.leer(lambda consulta: _leidos(consulta, conversion_id))
        if conversion is None or not puede_leer(peticion, conversion.contenido.campaña_id):
            raise evento_no_encontrado(f"{CONVERSIONES.ruta}/{quote(conversion_id, safe='')}/destino")
        clic_id = _clic_dicho(conversion)
        motivo = motivo_del_clic(
            clic_id,
            _ocurrencia(conversion),
            None if clic is None else _ocurrencia(clic),
            await self.secretos.todos(),
            self.ventana,
        )
        return RespuestaJSON(ClicDeConversion(clic_id, estado_del_clic(motivo), motivo))


def _leidos(
    consulta: Consulta, conversion_id: str
) -> tuple[EventoSeguido[Any] | None, EventoSeguido[Any] | None]:
    """La conversión, y el clic registrado del que dice venir."""
    conversion = consulta.eventos(clases.CONVERSIONES).obtener([conversion_id]).get(conversion_id)
    clic_id = None if conversion is None else conversion.contenido.clic_id
    if clic_id is None:
        return conversion, None
    clic = consulta.eventos(clases.IMPRESIONES).obtener([clic_id]).get(clic_id)
    es_clic = clic is not None and clic.contenido.tipo_evento is TipoEvento.CLIC
    return conversion, clic if es_clic else None


def _clic_dicho(conversion: EventoSeguido[Any]) -> str | None:
    """El que dice la conversión; el que no podía ser ninguno está entre las propiedades."""
    dicho: str | None = conversion.contenido.clic_id or conversion.contenido.propiedades.get(CLIC_ID_RECIBIDO)
    return dicho


def _ocurrencia(evento: EventoSeguido[Any]) -> Ocurrencia:
    clase = "" if evento.lectura is None else evento.lectura.clase or ""
    return Ocurrencia(
        campaña_id=evento.contenido.campaña_id,
        ocurrido_en=evento.ocurrido_en,
        no_vale=_NO_VALE.get(clase),
    )
