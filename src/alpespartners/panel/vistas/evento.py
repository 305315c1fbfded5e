"""`/panel/evento`: qué fue de un `id`, paso a paso, o por qué no consta nada de él."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance, permiso_de
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import SinNoticias
from alpespartners.modulos.tracking.aplicacion.consultas.contar_consumidores import consumidores_vivos
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import lector_de
from alpespartners.modulos.tracking.aplicacion.consultas.explicar_evento import (
    Explicacion,
    de_los_que_consta,
    explicar_evento,
    id_de_comando,
    parece_un_comando,
)
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import id_de_evento, identificador_consultable
from alpespartners.panel.avisos import AVISOS
from alpespartners.panel.direcciones import EVENTO
from alpespartners.panel.enmiendas import Enmienda, Envio, enmienda_de
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.nombres_de_redes import NOMBRES_DE_REDES
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.parametros import parametros_de_formulario
from alpespartners.panel.parecidos import parecidos
from alpespartners.panel.remedios import REMEDIOS

_COMANDOS_MAXIMOS: Final = 4
"""De lo escrito y lo que se le parece, lo que se busca también como comando."""
VUELTAS_MAXIMAS: Final = 150
"""Las veces que la página mira sola, una cada dos segundos: en cinco minutos, lo que espera ya no es cosa de
un momento."""


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """La explicación de un evento."""

    async def evento(peticion: Request) -> Response:
        recolector = Recolector()
        parametros = parametros_de_formulario(peticion, {"id", "vuelta"}, recolector)
        vuelta = lector_de(parametros, recolector)("vuelta", _vuelta) or 0
        recolector.exigir()
        escrito = parametros.get("id", "")
        comunes: dict[str, Any] = {
            "escrito": escrito,
            "sugeridos": (),
            "vuelta": vuelta + 1,
            "vueltas_maximas": VUELTAS_MAXIMAS,
        }
        try:
            evento_id = id_de_evento(escrito) if escrito else None
        except CampoInvalido as invalido:
            comunes["sugeridos"] = await _sugeridos(peticion, escrito)
            return paginas.pagina(
                peticion,
                "evento.html",
                estado=422,
                falta=invalido.fallo.mensaje,
                **comunes,
            )
        if evento_id is None:
            return paginas.pagina(peticion, "evento.html", **comunes)
        campañas = permiso_de(peticion).campañas
        explicacion = await fuentes.lecturas.leer(
            lambda consulta: explicar_evento(consulta, evento_id, campañas)
        )
        if explicacion.sucesos:
            respuesta = paginas.pagina(
                peticion,
                "evento.html",
                trozo="historia",
                explicacion=explicacion,
                remedios=REMEDIOS,
                avisos=AVISOS,
                nombres_propios_de_redes=NOMBRES_DE_REDES,
                enmiendas=_enmiendas(Envio.a(peticion, fuentes), explicacion),
                **comunes,
            )
            # La esperaba quien miraba sola: ahora ocupa el sitio de toda la explicación.
            respuesta.headers["HX-Retarget"] = "#historia"
            respuesta.headers["HX-Reswap"] = "innerHTML"
            return respuesta
        if vuelta == 0:
            comunes["sugeridos"] = await _sugeridos(peticion, escrito)
        return paginas.pagina(
            peticion,
            "evento.html",
            trozo="espera",
            sin_noticias=explicacion.sin_noticias,
            sin_avanzar=_sin_avanzar(explicacion.sin_noticias, fuentes.aceptado_hasta()),
            parece_un_comando=parece_un_comando(evento_id),
            por_publicar=explicacion.por_publicar,
            consumidores=await consumidores_vivos(fuentes.presencia),
            **comunes,
        )

    async def _sugeridos(peticion: Request, escrito: str) -> list[str]:
        """Los que se parecen al escrito, o son los de ese comando, y de los que consta algo."""
        permiso = permiso_de(peticion)
        candidatos = parecidos(escrito, fuentes.prefijos_que_ve(permiso))
        comandos = [uno for uno in map(identificador_consultable, (escrito, *candidatos)) if uno is not None]

        def hallados(consulta: Consulta) -> list[str]:
            de_comandos = [
                id_de_comando(consulta, uno, permiso.campañas) for uno in comandos[:_COMANDOS_MAXIMOS]
            ]
            todos = [uno for uno in (*de_comandos, *candidatos) if uno is not None]
            return de_los_que_consta(consulta, todos, permiso.campañas)

        return await fuentes.lecturas.leer(hallados)

    return [
        Ruta(
            plantilla=EVENTO,
            metodo="GET",
            atencion=evento,
            alcance=Alcance.LECTURA,
            juzga_campañas=True,
            al_fallar=paginas.al_fallar,
        )
    ]


def _sin_avanzar(
    sin_noticias: Mapping[Clase, SinNoticias], aceptado_hasta: Mapping[str, datetime]
) -> set[Clase]:
    """Las clases en que lo aceptado hace un rato sigue sin destino, haya o no quien trabaje."""
    return {
        clase
        for clase, noticias in sin_noticias.items()
        if (aceptado := aceptado_hasta.get(clase.topico)) is not None
        and (noticias.procesado_hasta is None or aceptado > noticias.procesado_hasta)
    }


def _enmiendas(envio: Envio, explicacion: Explicacion) -> list[Enmienda | None]:
    return [
        None
        if explicado.ya_registrado
        else enmienda_de(
            explicado.clase,
            explicado.suceso.destino,
            explicado.enviado,
            explicado.suceso.recibido_en,
            envio,
        )
        for explicado in explicacion.sucesos
    ]


def _vuelta(nombre: str, texto: str) -> int:
    if not (texto.isascii() and texto.isdigit() and len(texto) <= len(str(VUELTAS_MAXIMAS))):
        raise CampoInvalido(
            nombre, CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser un entero entre 0 y {VUELTAS_MAXIMAS}"
        )
    return int(texto)
