"""`/panel/enlace-nuevo`: el formulario que hace un enlace corto.

Qué es: lo que se escribe, con las reglas y los permisos de `POST /tracking/enlaces`, y sus faltas junto a
cada campo.
Por qué existe: quien prepara una campaña reparte enlaces, y no escribe peticiones.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance, permiso_de
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.api.http.problemas import Falta
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.enlaces.aplicacion.edicion import enlace_id_al_azar, enlace_nuevo
from alpespartners.modulos.enlaces.dominio.enlace import PARAMETRO_CLIC
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo
from alpespartners.panel.direcciones import ENLACE_NUEVO, direccion_de_enlace
from alpespartners.panel.errores import FaltaExplicada, falta_explicada
from alpespartners.panel.formularios import leer_formulario
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.idiomas import idioma_de
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import en_utc, parametros_de

_DE_QUIEN: Final = ("campaña_id", "influencer_id")
_CAMPOS: Final = (*_DE_QUIEN, "destino", "enlace_id", "cupon", "vence_en", "parametro_clic")
_YA_EXISTE: Final = Fallo(
    "enlace_id",
    Codigo.VALOR_NO_PERMITIDO,
    "ya hay un enlace que se llama así y no dice lo mismo: elija otro nombre",
)


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """El formulario, vacío o con de quién será, y hacer el enlace."""

    async def preguntar(peticion: Request) -> Response:
        de_quien = parametros_de(peticion, _DE_QUIEN)
        # Ya con nombre: enviarlo dos veces hace uno.
        return formulario(peticion, {**de_quien, "enlace_id": enlace_id_al_azar()})

    async def hacer(peticion: Request) -> Response:
        campos = await leer_formulario(peticion, _CAMPOS)
        try:
            pedido = enlace_nuevo(_en_json(campos), fuentes.reloj())
            permiso_de(peticion).exigir(pedido.campaña_id)
        except DatosInvalidos as invalidos:
            sin_permiso = any(uno.codigo is CodigoDePeticion.SIN_PERMISO for uno in invalidos.fallos)
            estado = HTTPStatus.FORBIDDEN if sin_permiso else HTTPStatus.UNPROCESSABLE_ENTITY
            return formulario(peticion, campos, estado, *invalidos.fallos)
        try:
            queda, es_nuevo = await fuentes.enlaces.agregar(pedido)
        except BaseDatosNoDisponible:
            # Con el nombre que se iba a guardar: puede que se guardara, y repetirlo no hace otro.
            escrito = {**campos, "enlace_id": pedido.enlace_id}
            return formulario(peticion, escrito, HTTPStatus.SERVICE_UNAVAILABLE)
        if not es_nuevo and not queda.dice_lo_mismo(pedido):
            return formulario(peticion, campos, HTTPStatus.CONFLICT, _YA_EXISTE)
        return RedirectResponse(direccion_de_enlace(queda.enlace_id), HTTPStatus.SEE_OTHER)

    def formulario(
        peticion: Request, escrito: Mapping[str, str], estado: HTTPStatus = HTTPStatus.OK, *fallos: Fallo
    ) -> Response:
        """El formulario con lo ya escrito y, junto a cada campo, lo que incumple."""
        return paginas.pagina(
            peticion,
            "enlace_nuevo.html",
            estado=estado,
            escrito=escrito,
            faltas=_por_campo(peticion, fallos),
            sin_guardar=estado == HTTPStatus.SERVICE_UNAVAILABLE,
            campañas=sorted(permiso_de(peticion).campañas or ()),
            servicio=direccion_del_servicio(peticion),
            parametro_clic=PARAMETRO_CLIC,
        )

    comunes: dict[str, Any] = {
        "plantilla": ENLACE_NUEVO,
        "alcance": Alcance.CAPTURA,
        "tambien": Alcance.LECTURA,
        "al_fallar": paginas.al_fallar,
    }
    return [
        Ruta(metodo="GET", atencion=preguntar, **comunes),
        Ruta(metodo="POST", atencion=hacer, **comunes),
    ]


def _en_json(campos: Mapping[str, str]) -> dict[str, object]:
    """Lo escrito como lo pide la API: con una zona la hora, que un formulario envía sin ella."""
    vence_en = campos.get("vence_en")
    return {**campos} if vence_en is None else {**campos, "vence_en": en_utc(vence_en)}


def _por_campo(peticion: Request, fallos: Sequence[Fallo]) -> dict[str, FaltaExplicada]:
    """La falta de cada campo, en el idioma de quien mira."""
    idioma = idioma_de(peticion)
    return {
        fallo.campo: falta_explicada(Falta(fallo.campo, fallo.codigo, fallo.mensaje), idioma)
        for fallo in fallos
    }
