"""`/panel/entrar` y `/panel/salir`: quien mira presenta su clave una vez, y deja de mirar cuando quiere.

Qué es: de una clave a la galleta de una sesión (`api/http/sesion.py`), y su final.
Qué no es: quién puede ver cada página, que lo dice su alcance, como en la API.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.acceso import clave_requerida
from alpespartners.api.http.claves import Alcance, Clave, llavero_de
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.sesion import GALLETA_DE_SESION, SEGUNDOS_DE_SESION
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.panel.direcciones import CAMPAÑAS, ENTRAR, SALIR, inicio_de
from alpespartners.panel.formularios import leer_formulario
from alpespartners.panel.galletas import poner_galleta
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.vuelta import VOLVER, leer_vuelta

_QUE_MIRAN: Final = frozenset({Alcance.LECTURA, Alcance.OPERACION})


def rutas(paginas: Paginas) -> list[Ruta]:
    """Entrar y salir."""

    async def preguntar(peticion: Request) -> Response:
        volver = _vuelta(peticion)
        if not llavero_de(peticion).piden:
            return RedirectResponse(volver, 303)
        return paginas.pagina(peticion, "entrar.html", volver=volver, falta=None)

    async def entrar(peticion: Request) -> Response:
        volver = _vuelta(peticion)
        presentada = (await leer_formulario(peticion, {"clave"})).get("clave", "").strip()
        llavero = llavero_de(peticion)
        clave = llavero.abrir(presentada)
        if clave is None or not _puede_mirar(clave):
            falta, estado = ("no_vale", 401) if clave is None else ("no_mira", 403)
            negada = paginas.pagina(peticion, "entrar.html", estado=estado, volver=volver, falta=falta)
            if clave is None:
                negada.headers.update(clave_requerida().cabeceras or {})
            return negada
        adonde = inicio_de(clave.alcances) if volver == CAMPAÑAS else volver
        respuesta = RedirectResponse(adonde, 303)
        poner_galleta(
            respuesta,
            peticion,
            GALLETA_DE_SESION,
            llavero.sesion_de(clave),
            sitio="lax",
            segundos=SEGUNDOS_DE_SESION,
        )
        return respuesta

    async def salir(peticion: Request) -> Response:
        await leer_formulario(peticion, ())
        respuesta = RedirectResponse(ENTRAR, 303)
        poner_galleta(respuesta, peticion, GALLETA_DE_SESION, "", sitio="lax", segundos=0)
        return respuesta

    return [
        Ruta(plantilla=ENTRAR, metodo="GET", atencion=preguntar, alcance=None, al_fallar=paginas.al_fallar),
        Ruta(plantilla=ENTRAR, metodo="POST", atencion=entrar, alcance=None, al_fallar=paginas.al_fallar),
        Ruta(plantilla=SALIR, metodo="POST", atencion=salir, alcance=None, al_fallar=paginas.al_fallar),
    ]


def _vuelta(peticion: Request) -> str:
    recolector = Recolector()
    parametros = leer_parametros(peticion.scope["query_string"], {VOLVER}, recolector)
    volver = leer_vuelta(parametros, recolector)
    recolector.exigir()
    return volver


def _puede_mirar(clave: Clave) -> bool:
    return clave.dialecto is None and not _QUE_MIRAN.isdisjoint(clave.alcances)
