"""`/panel/evento-de-prueba`: cómo se envía el primer evento, y uno de prueba que se sigue paso a paso.

Qué es: lo que se ve mientras no hay ninguna campaña, y un botón que envía un evento como los de cualquiera.
Qué no es: una puerta aparte; el de prueba entra por la misma recepción, cuenta y no se puede borrar.
Por qué existe: quien acaba de arrancar el servicio no sabe todavía si lo que envíe va a llegar.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alpespartners.api.http.claves import Alcance, clave_de, llavero_de, permiso_de
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.api.http.parametros import leer_parametros, sin_parametros
from alpespartners.api.http.problemas import no_encontrado
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.traza import traza_de
from alpespartners.modulos.tracking.aplicacion.clases import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.consultas.contar_consumidores import consumidores_vivos
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.aplicacion.recepcion import Aceptada, Entrada, NoValida
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo, Recolector
from alpespartners.panel.direcciones import EVENTO_DE_PRUEBA, direccion_del_recorrido
from alpespartners.panel.formularios import leer_formulario
from alpespartners.panel.fuentes import Fuentes
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.recorrido import Recorrido, recorrido_de

CAMPAÑA_DE_PRUEBA: Final = "demo-prueba"
"""Empieza como todo lo inventado, para que se distinga de lo de verdad."""
_ES_ID_DE_PRUEBA: Final = re.compile(rf"{CAMPAÑA_DE_PRUEBA}-[0-9a-f-]{{36}}")
_ES_DE_PRUEBA: Final = re.compile(rf".*{_ES_ID_DE_PRUEBA.pattern}")
"""Delante puede llevar el prefijo de la clave con que se envió."""


@dataclass(frozen=True, slots=True)
class SinConfirmar:
    """Uno de prueba que el broker no confirmó.

    Attributes:
        id: con el que se repite.
        recorrido: la dirección que dice si llegó.
    """

    id: str
    recorrido: str


def pagina_de_la_primera_vez(
    peticion: Request, paginas: Paginas, *, hay_eventos: bool, sin_confirmar: SinConfirmar | None = None
) -> Response:
    """Las maneras de enviar el primero, con la dirección de este servicio; y repetir el no confirmado."""
    return paginas.pagina(
        peticion,
        "primera_vez.html",
        estado=200 if sin_confirmar is None else 503,
        hay_eventos=hay_eventos,
        sin_confirmar=sin_confirmar,
        direccion=direccion_del_servicio(peticion),
        piden_clave=llavero_de(peticion).piden,
        puede_enviar=Alcance.CAPTURA in clave_de(peticion).alcances,
        campaña_de_prueba=CAMPAÑA_DE_PRUEBA,
        direccion_de_envio=EVENTO_DE_PRUEBA,
    )


def rutas(fuentes: Fuentes, paginas: Paginas) -> list[Ruta]:
    """Cómo se envía, el envío de uno de prueba y su recorrido."""

    async def explicar(peticion: Request) -> Response:
        sin_parametros(peticion)
        return pagina_de_la_primera_vez(peticion, paginas, hay_eventos=True)

    async def enviar(peticion: Request) -> Response:
        evento_id = _id_de_prueba(await leer_formulario(peticion, ("id",)), fuentes.nuevo_id)
        entrada = Entrada(IMPRESIONES, _de_prueba(evento_id))
        (suerte,) = await fuentes.recepcion.recibir(
            [entrada], traza=traza_de(peticion), permiso=permiso_de(peticion)
        )
        if isinstance(suerte, NoValida):
            raise DatosInvalidos(suerte.fallos)
        if not isinstance(suerte, Aceptada):
            return pagina_de_la_primera_vez(
                peticion,
                paginas,
                hay_eventos=True,
                sin_confirmar=SinConfirmar(evento_id, direccion_del_recorrido(str(suerte.comando.id), None)),
            )
        direccion = direccion_del_recorrido(str(suerte.comando.id), suerte.comando_id)
        return RedirectResponse(direccion, 303)

    async def seguir(peticion: Request) -> Response:
        evento_id: str = peticion.path_params["id"]
        if not _ES_DE_PRUEBA.fullmatch(evento_id):
            # De otro no se sabe que entrara por aquí: los primeros pasos podrían no ser verdad.
            raise no_encontrado()
        comando_id, visto = _pedido(peticion)
        recorrido: Recorrido | None = None
        try:
            recorrido = await fuentes.lecturas.leer(
                lambda consulta: recorrido_de(consulta, IMPRESIONES, evento_id, comando_id)
            )
        except BaseDatosNoDisponible:
            vivos = None
        else:
            vivos = None if recorrido.suceso else await consumidores_vivos(fuentes.presencia)
        lo_que_se_ve = f"{'-' if recorrido is None else recorrido.pasos}.{'-' if vivos is None else vivos}"
        if visto == lo_que_se_ve:
            # Nada ha cambiado: ni se vuelve a pintar, ni lo lee otra vez quien escucha la página.
            return Response(status_code=204)
        return paginas.pagina(
            peticion,
            "evento_de_prueba.html",
            trozo="recorrido",
            evento_id=evento_id,
            clase=IMPRESIONES,
            comando_id=comando_id,
            recorrido=recorrido,
            consumidores=vivos,
            esta_misma=direccion_del_recorrido(evento_id, comando_id),
            lo_que_cambie=direccion_del_recorrido(evento_id, comando_id, lo_que_se_ve),
            campaña_de_prueba=CAMPAÑA_DE_PRUEBA,
            otro=EVENTO_DE_PRUEBA,
        )

    return [
        Ruta(
            plantilla=EVENTO_DE_PRUEBA,
            metodo="GET",
            atencion=explicar,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        ),
        Ruta(
            plantilla=EVENTO_DE_PRUEBA,
            metodo="POST",
            atencion=enviar,
            alcance=Alcance.CAPTURA,
            al_fallar=paginas.al_fallar,
        ),
        Ruta(
            plantilla=f"{EVENTO_DE_PRUEBA}/{{id}}",
            metodo="GET",
            atencion=seguir,
            alcance=Alcance.LECTURA,
            al_fallar=paginas.al_fallar,
        ),
    ]


def _id_de_prueba(campos: Mapping[str, str], nuevo_id: Callable[[], str]) -> str:
    """El del que no se confirmó, si se repite, o uno nuevo.

    Raises:
        DatosInvalidos: no es el de un evento de prueba.
    """
    evento_id = campos.get("id") or f"{CAMPAÑA_DE_PRUEBA}-{nuevo_id()}"
    if not _ES_ID_DE_PRUEBA.fullmatch(evento_id):
        falta = Fallo("id", CodigoDePeticion.PARAMETRO_INVALIDO, "no es el de un evento de prueba")
        raise DatosInvalidos([falta])
    return evento_id


def _de_prueba(evento_id: str) -> dict[str, Any]:
    return {
        "id": evento_id,
        "campaña_id": CAMPAÑA_DE_PRUEBA,
        IMPRESIONES.campo_tipo: "IMPRESION",
        "propiedades": {"enviado_desde": "panel"},
    }


def _pedido(peticion: Request) -> tuple[str | None, str | None]:
    """El comando que se sigue, si se dice, y lo que ya se ve de él."""
    recolector = Recolector()
    parametros = leer_parametros(peticion.scope["query_string"], {"comando", "visto"}, recolector)
    comando_id = parametros.get("comando")
    if comando_id is not None:
        try:
            uuid.UUID(comando_id)
        except ValueError:
            recolector.anotar("comando", CodigoDePeticion.PARAMETRO_INVALIDO, "no es el de un comando")
    recolector.exigir()
    return comando_id, parametros.get("visto")
