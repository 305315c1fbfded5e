"""`GET /tracking/campañas/{campaña_id}/informe`: cuánto hubo en una campaña, por intervalos y por grupos.

Qué es: la ruta con su descripción.
Qué no es: qué se admite en cada parámetro ni qué se cuenta (`modulos/informes/aplicacion`).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.descripcion import Contestacion, Esquema, Etiqueta, Operacion, Parametro
from alpespartners.api.http.esquemas import IDENTIFICADOR
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.problemas import (
    NO_ENCONTRADO,
    SIN_BASE_DE_DATOS,
    contestacion_de_error,
    datos_invalidos,
)
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.informes.presentacion import Informe, informe
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import FILAS_MAXIMAS, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import (
    DIAS_POR_OMISION,
    GRANULARIDAD_POR_OMISION,
    INTERVALOS_MAXIMOS,
    OTROS_NOMBRES,
    PARAMETROS,
    ZONA_POR_OMISION,
    Incluible,
    en_miles,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import Dimension, LecturaDeCuentas
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo, Recolector

_INFORMES: Final = Etiqueta(
    "informes", "Cuánto hubo en una campaña, exacto en el instante en que se pregunta."
)
_MOMENTO: Final[Esquema] = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
_UNA: Final = "|".join(Dimension)


def _parametro(nombre: str, esquema: Esquema, descripcion: str) -> Parametro:
    return Parametro(nombre=nombre, lugar="query", esquema=esquema, descripcion=descripcion)


_DESCRITOS: Final = (
    _parametro(
        "desde",
        _MOMENTO,
        "`ocurrido_en` desde este instante, incluido. Una fecha es el comienzo de ese día en `zona`; un "
        f"instante cae en un cuarto de hora. Si falta, los {DIAS_POR_OMISION} días que acaban en `hasta`.",
    ),
    _parametro(
        "hasta",
        _MOMENTO,
        "`ocurrido_en` hasta este instante, sin incluirlo; de una fecha no se incluye nada: enero es "
        "`desde=2024-01-01&hasta=2024-02-01`. Si falta, el final del día de hoy en `zona`.",
    ),
    _parametro(
        "zona",
        {"type": "string", "minLength": 1, "default": ZONA_POR_OMISION},
        "La zona horaria, por su nombre de la IANA: los días, las semanas y los meses son los suyos.",
    ),
    _parametro(
        "granularidad",
        {"enum": [*Granularidad], "default": GRANULARIDAD_POR_OMISION},
        f"En qué se parte el periodo, en {en_miles(INTERVALOS_MAXIMOS)} intervalos como mucho. La semana "
        "empieza en lunes.",
    ),
    _parametro(
        "por",
        {"type": "string", "pattern": f"^({_UNA})(,({_UNA}))*$"},
        "Una fila por cada uno de estos valores, separados por comas, y hasta "
        f"{en_miles(FILAS_MAXIMAS)} filas. `influencer_id` y `cupon` se cuentan por días enteros de UTC; con "
        "otros se miran además los eventos que sobran o faltan, y si son demasiados se niega.",
    ),
    _parametro(
        "comparar",
        {"enum": [*Comparacion, *OTROS_NOMBRES]},
        "Con qué se compara cada fila, que siempre dura lo mismo. `periodo_anterior`: el que acaba donde "
        "empieza este. `año_anterior`: el que empieza en la misma fecha de un año antes (un 29 de febrero, "
        "el 28); tras un 29 de febrero las fechas difieren en una, y cada comparación dice las suyas. "
        "`dia_semana`: 52 semanas antes, y cada día con el suyo.",
    ),
    _parametro(
        "incluir",
        {"enum": [*Incluible]},
        "`usuarios_unicos`: cuántos usuarios distintos hubo en cada fila y en el total, que no es su suma; "
        "exactos hasta 384 y, con más, con su error. Se cuentan por campaña y por días enteros de UTC: piden "
        "`zona=UTC` y fechas, y no admiten `por`.",
    ),
)
_SE_NIEGA: Final = contestacion_de_error(
    "422_informe",
    "Hay datos no válidos, o lo que se pide no cabe o no se puede responder sin aproximar; se dice todo.",
    datos_invalidos(
        [
            Fallo(
                "granularidad",
                CodigoDePeticion.PARAMETRO_INVALIDO,
                "son unos 87.648 intervalos y caben 1.000; pida granularidad=semana o un periodo menor",
            )
        ]
    ),
)


def rutas_de_informes(lectura: LecturaDeCuentas, reloj: Callable[[], datetime]) -> list[RutaDescrita]:
    """La del negocio y la misma en ASCII, para quien genera un cliente que no admite una ñ."""
    return [
        _ruta_de_informe(lectura, reloj, campaña="campaña", id_de_la_operacion="informe"),
        _ruta_de_informe(lectura, reloj, campaña="campana", id_de_la_operacion="informe_de_campana"),
    ]


def _ruta_de_informe(
    lectura: LecturaDeCuentas, reloj: Callable[[], datetime], *, campaña: str, id_de_la_operacion: str
) -> RutaDescrita:
    async def atender(peticion: Request) -> Response:
        campaña_id = peticion.path_params[f"{campaña}_id"]
        recolector = Recolector()
        parametros = leer_parametros(peticion.scope["query_string"], PARAMETROS, recolector)
        try:
            # Partir un siglo en meses, o buscar nombres parecidos, son decenas de milisegundos.
            pedido = await asyncio.to_thread(pedido_de_informe, campaña_id, parametros, reloj())
            recolector.exigir()
            hecho = await hacer_informe(lectura, pedido)
        except InformeImposible as imposible:
            for falta in imposible.faltas:
                recolector.anotar(falta.parametro, CodigoDePeticion(falta.codigo), falta.frase)
            raise DatosInvalidos(recolector.fallos) from None
        return await asyncio.to_thread(lambda: RespuestaJSON(informe(hecho, pedido)))

    operacion = Operacion(
        id=id_de_la_operacion,
        etiqueta=_INFORMES,
        resumen="Ver el informe de una campaña",
        descripcion=(
            "Cuánto hubo por `ocurrido_en`, contado en la misma transacción que registra cada evento: es lo "
            "que dicen las listas en ese instante. Lo que tarda depende de los intervalos y no de los "
            "eventos; por influencer o cupón, también de cuántos haya. El total es la suma de las filas; "
            "las monedas no se suman entre sí. Una razón se calcula con lo de su fila. Un grupo está en "
            "todos los intervalos, y una campaña desconocida da ceros. Lo que no se puede responder exacto "
            "se niega, y se dice qué pedir."
        ),
        parametros=(
            Parametro(nombre=f"{campaña}_id", lugar="path", esquema=IDENTIFICADOR, ejemplo="cmp-456"),
            *_DESCRITOS,
        ),
        contestaciones={
            200: Contestacion(descripcion="El informe.", formas=(Informe,)),
            404: NO_ENCONTRADO,
            422: _SE_NIEGA,
            503: SIN_BASE_DE_DATOS,
        },
    )
    return RutaDescrita(
        plantilla=f"/tracking/{campaña}s/{{{campaña}_id}}/informe",
        metodo="GET",
        atencion=atender,
        operacion=operacion,
    )
