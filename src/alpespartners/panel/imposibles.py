"""Un informe que no se puede contestar: qué lo impide, y lo más parecido que sí se puede ver.

Qué es: la página que lo dice, la misma para una campaña y para un influencer.
Qué no es: una tabla que se niega en una página que por lo demás se ve (`informe.html`).
Por qué existe: quien escribe mal una fecha, o pide un siglo por horas, quiere una salida, y no una regañina.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http import problemas
from alpespartners.modulos.informes.aplicacion.faltas import Falta, InformeImposible
from alpespartners.modulos.informes.aplicacion.pedido import ZONA_POR_OMISION, Sujeto, pedido_de_informe
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.panel.direcciones import con_parametros
from alpespartners.panel.errores import falta_explicada
from alpespartners.panel.formulario_del_periodo import contexto_del_formulario, elegido_en
from alpespartners.panel.idiomas import idioma_de
from alpespartners.panel.paginas import Paginas
from alpespartners.panel.pedidas import del_informe
from alpespartners.panel.zona_recordada import ZONA


async def pagina_imposible(
    peticion: Request,
    paginas: Paginas,
    *,
    sujeto: Sujeto,
    direccion_de: Callable[[str], str],
    parametros: Mapping[str, str],
    imposible: InformeImposible,
    ahora: datetime,
) -> Response:
    """La página, con un 422.

    Args:
        peticion: la de esa vista; lo último de su ruta es lo que se mira.
        paginas: quien la escribe.
        sujeto: de qué es el informe.
        direccion_de: de lo que se mira, la dirección de su vista.
        parametros: los que trae.
        imposible: por qué no se puede.
        ahora: el instante en que se pide.
    """
    [sujeto_id] = peticion.path_params.values()
    # Cada candidato se prueba, y partir un siglo en meses son decenas de milisegundos.
    remedios = await asyncio.to_thread(_remedios, sujeto_id, sujeto, parametros, imposible, ahora)
    direccion = direccion_de(sujeto_id)
    culpables = {falta.parametro for falta in imposible.faltas}
    return paginas.pagina(
        peticion,
        "imposible.html",
        estado=422,
        sujeto_id=sujeto_id,
        campo=sujeto.campo,
        faltas=[falta_explicada(_como_de_la_api(falta), idioma_de(peticion)) for falta in imposible.faltas],
        remedios=[(nombre, con_parametros(direccion, **suyos)) for nombre, suyos in remedios],
        puerta=f"{direccion}/periodo",
        **contexto_del_formulario(
            {nombre: valor for nombre, valor in parametros.items() if nombre not in culpables},
            elegido_en(parametros),
        ),
    )


def _como_de_la_api(falta: Falta) -> problemas.Falta:
    return problemas.Falta(falta.parametro, CodigoDePeticion(falta.codigo), falta.frase)


def _remedios(
    sujeto_id: str,
    sujeto: Sujeto,
    parametros: Mapping[str, str],
    imposible: InformeImposible,
    ahora: datetime,
) -> list[tuple[str, Mapping[str, str]]]:
    """Lo que se puede pedir en su lugar, de lo más parecido a lo menos; nada se ofrece dos veces."""
    culpables = {falta.parametro for falta in imposible.faltas}
    # Con su zona dicha: sin ella sería la que se recuerde.
    en_utc = {ZONA: ZONA_POR_OMISION}
    validos = en_utc | {nombre: valor for nombre, valor in parametros.items() if nombre not in culpables}
    candidatos: dict[str, Mapping[str, str]] = {"sin_lo_que_lo_impide": validos}
    if culpables == {"granularidad"}:
        candidatos |= {cada: {**validos, "granularidad": cada} for cada in Granularidad}
    candidatos["treinta_dias"] = {nombre: validos[nombre] for nombre in (ZONA, "bots") if nombre in validos}
    ofrecidos: list[tuple[str, Mapping[str, str]]] = []
    for nombre, suyos in candidatos.items():
        repetido = suyos == en_utc | {**parametros} or any(suyos == otros for _, otros in ofrecidos)
        if not repetido and _se_entiende(sujeto_id, sujeto, suyos, ahora):
            ofrecidos.append((nombre, suyos))
    return ofrecidos


def _se_entiende(sujeto_id: str, sujeto: Sujeto, parametros: Mapping[str, str], ahora: datetime) -> bool:
    try:
        pedido_de_informe(sujeto_id, del_informe(parametros), ahora, sujeto)
    except InformeImposible:
        return False
    return True
