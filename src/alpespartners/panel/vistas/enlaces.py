"""`/panel/enlaces`: los enlaces cortos, y uno con su código QR.

Qué es: la lista y la página de cada uno, con los mismos filtros y permisos que `/tracking/enlaces`.
Qué no es: la redirección, ni cambiar un enlace: eso se hace por la API o en una terminal.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance, exigir_campaña, permiso_de, puede_leer
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.politica_de_contenido import politica_de_contenido
from alpespartners.api.http.problemas import no_encontrado
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.enlaces.aplicacion.listado import listar_enlaces, peticion_de_enlaces
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.panel.codigo_qr import qr_en_archivo, qr_en_linea
from alpespartners.panel.direcciones import ENLACES, con_filtros
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import parametros_de

_POR_PAGINA: Final = 50
_CAMPAÑA: Final = "campaña_id"
_FILTROS: Final = (_CAMPAÑA, "influencer_id")


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La lista, y la página y el código QR de cada uno."""

    async def lista(peticion: Request) -> Response:
        parametros = parametros_de(peticion, (*_FILTROS, "cursor"))
        filtros = {nombre: parametros.get(nombre) for nombre in _FILTROS}
        campañas = permiso_de(peticion).campañas
        if campañas is not None and filtros[_CAMPAÑA] is None:
            return paginas.pagina(peticion, "enlaces.html", elegir=sorted(campañas), filtros=filtros)
        exigir_campaña(peticion, filtros[_CAMPAÑA])
        pedido = peticion_de_enlaces({"limite": str(_POR_PAGINA), **parametros})
        pagina = await listar_enlaces(fuentes.enlaces, pedido)
        siguiente = pagina.siguiente
        return paginas.pagina(
            peticion,
            "enlaces.html",
            enlaces=pagina.elementos,
            filtros=filtros,
            servicio=direccion_del_servicio(peticion),
            primera=None if pedido.despues_de is None else con_filtros(ENLACES, **filtros),
            siguiente=None if siguiente is None else con_filtros(ENLACES, **filtros, cursor=siguiente),
        )

    async def uno(peticion: Request) -> Response:
        enlace = await suyo(peticion)
        servicio = direccion_del_servicio(peticion)
        return paginas.pagina(
            peticion,
            "enlace.html",
            enlace=enlace,
            servicio=servicio,
            qr=qr_en_linea(servicio + enlace.ruta),
        )

    async def qr(peticion: Request) -> Response:
        enlace = await suyo(peticion)
        cabeceras = politica_de_contenido() | {
            "Content-Disposition": f'attachment; filename="{enlace.enlace_id}.svg"'
        }
        dibujo = qr_en_archivo(direccion_del_servicio(peticion) + enlace.ruta)
        return Response(dibujo, headers=cabeceras, media_type="image/svg+xml")

    async def suyo(peticion: Request) -> Enlace:
        """El de la dirección, si la clave deja verlo; el de otra campaña es como uno que no existe."""
        sin_parametros(peticion)
        hallado = await fuentes.enlaces.leer(peticion.path_params["enlace_id"])
        if hallado is None or not puede_leer(peticion, hallado.campaña_id):
            raise no_encontrado()
        return hallado

    comunes: dict[str, Any] = {
        "metodo": "GET",
        "alcance": Alcance.LECTURA,
        "juzga_campañas": True,
        "al_fallar": paginas.al_fallar,
    }
    return [
        Ruta(plantilla=ENLACES, atencion=lista, **comunes),
        Ruta(plantilla=f"{ENLACES}/{{enlace_id}}", atencion=uno, **comunes),
        Ruta(plantilla=f"{ENLACES}/{{enlace_id}}/qr.svg", atencion=qr, **comunes),
    ]
