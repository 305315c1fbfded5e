"""`GET /tracking/campañas/{campaña_id}/informe`, y el de un influencer: cuánto hubo, por intervalos y grupos.

Qué es: la ruta con su descripción.
Qué no es: qué se admite en cada parámetro ni qué se cuenta (`modulos/informes/aplicacion`).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.descargas import archivo
from alpespartners.api.http.descripcion import Contestacion, Esquema, Etiqueta, Operacion, Parametro
from alpespartners.api.http.esquemas import IDENTIFICADOR
from alpespartners.api.http.formatos import (
    FORMATO,
    PARAMETRO,
    VARIA,
    Formato,
    formato_pedido,
)
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.problemas import (
    NO_ENCONTRADO,
    REINTENTO,
    SIN_BASE_DE_DATOS,
    ErrorHTTP,
    contestacion_de_error,
    datos_invalidos,
    error_de,
)
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.tipos_de_medio import CSV, NDJSON
from alpespartners.api.informes.presentacion import FORMAS, InformeDeAlguien, informe
from alpespartners.api.informes.tabla import escritura_de
from alpespartners.modulos.informes.aplicacion.faltas import InformeImposible
from alpespartners.modulos.informes.aplicacion.informe import FILAS_MAXIMAS, hacer_informe
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_CAMPAÑA,
    DE_INFLUENCER,
    DIAS_POR_OMISION,
    GRANULARIDAD_POR_OMISION,
    INTERVALOS_MAXIMOS,
    OTROS_NOMBRES,
    ZONA_POR_OMISION,
    Incluible,
    Sujeto,
    en_miles,
    pedido_de_informe,
)
from alpespartners.modulos.informes.aplicacion.puertos import (
    DE_LOS_DIAS,
    DE_PROCEDENCIA,
    LecturaDeCampañas,
    LecturaDeCuentas,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import Granularidad
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo, Recolector
from alpespartners.seedwork.orden import ORDEN

INFORMES: Final = Etiqueta(
    "informes", "Cuánto hubo en una campaña o de un influencer, exacto en el instante en que se pregunta."
)
_SEGUNDOS_PARA_RECONTAR: Final = 60
_MOMENTO: Final[Esquema] = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}


def _parametro(nombre: str, esquema: Esquema, descripcion: str) -> Parametro:
    return Parametro(nombre=nombre, lugar="query", esquema=esquema, descripcion=descripcion)


def _separadas(sujeto: Sujeto) -> Esquema:
    solas = [dimension for dimension in sujeto.dimensiones if dimension in DE_PROCEDENCIA]
    patron = _por_comas(dimension for dimension in sujeto.dimensiones if dimension not in solas)
    if solas:
        con_ellas = "|".join(d for d in sujeto.dimensiones if d not in {*solas, *DE_LOS_DIAS})
        patron += f"|(({con_ellas}),)*({'|'.join(solas)})(,({con_ellas}))*"
    return {"type": "string", "pattern": f"^({patron})$"}


def _por_comas(nombres: Iterable[str]) -> str:
    una = "|".join(nombres)
    return f"({una})(,({una}))*"


_INCLUIR: Final = _parametro(
    "incluir",
    {"enum": [*Incluible]},
    "`usuarios_unicos`: cuántos usuarios distintos hubo en cada fila y en el total, que no es su suma; "
    "exactos hasta 384 y, con más, con su error. Se cuentan por campaña y por días enteros de UTC: piden "
    "`zona=UTC` y fechas, y no admiten `por` ni `bots=excluir`.",
)
_BOTS: Final = _parametro(
    "bots",
    {"enum": [*Bots], "default": Bots.INCLUIR},
    "`excluir`: lo que parece de un robot (clase `BOT`) no está en ninguna cifra, y sigue dicho aparte en "
    "`bots` de cada fila. No admite `usuarios_unicos`, que se guardan con los suyos.",
)
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
        _separadas(DE_CAMPAÑA),
        "Una fila por cada uno de estos valores, separados por comas, y hasta "
        f"{en_miles(FILAS_MAXIMAS)} filas. Todos menos `tipo`, `clase` y `moneda` se cuentan por días "
        "enteros de UTC; con otros se miran además los eventos que sobran o faltan, y si son demasiados se "
        "niega. De `red`, `dispositivo`, `pais` y `robot` (la primera señal de que lo es), uno solo, y sin "
        "`influencer_id` ni `cupon`: su `null` es lo que no se sabe o, de `robot`, quien no lo es.",
    ),
    _parametro(
        "comparar",
        {"enum": [*Comparacion, *OTROS_NOMBRES]},
        "Con qué se compara cada fila, que siempre dura lo mismo. `periodo_anterior`: el que acaba donde "
        "empieza este. `semana_anterior`: siete días antes. `año_anterior`: el que empieza en la misma fecha "
        "de un año antes (un 29 de febrero, el 28); tras un 29 de febrero las fechas difieren en una, y cada "
        "comparación dice las suyas. `dia_semana`: 52 semanas antes, y cada día con el suyo.",
    ),
    _BOTS,
    _INCLUIR,
)
_EN_SU_LUGAR: Final = (
    _parametro(
        "zona",
        {"type": "string", "minLength": 1, "default": ZONA_POR_OMISION},
        "La zona horaria, por su nombre de la IANA: los días, las semanas y los meses son los suyos. Lo de "
        "un influencer se cuenta por días enteros de UTC; con otros se miran además los eventos que sobran o "
        "faltan, y si son demasiados se niega.",
    ),
    _parametro(
        "por",
        _separadas(DE_INFLUENCER),
        "Una fila por cada uno de estos valores, separados por comas, y hasta "
        f"{en_miles(FILAS_MAXIMAS)} filas. `campaña_id` se escribe también `campana_id`.",
    ),
)
"""Los que en el informe de un influencer son otros."""
_DE_UN_INFLUENCER: Final = tuple(
    {p.nombre: p for p in (*_DESCRITOS, *_EN_SU_LUGAR) if p.nombre != _INCLUIR.nombre}.values()
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


def _usuarios_ilegibles(dia: datetime) -> ErrorHTTP:
    return ErrorHTTP(
        503,
        "usuarios_ilegibles",
        "Usuarios ilegibles",
        f"Los usuarios únicos del {dia:%Y-%m-%d} no se entienden: otra mano los cambió. Pida el informe sin "
        f"usuarios_unicos, o a quien opera el servicio que ejecute `{ORDEN} recontar`.",
        cabeceras={"Retry-After": str(_SEGUNDOS_PARA_RECONTAR)},
    )


_NO_SE_PUEDE: Final = contestacion_de_error(
    "503_informe",
    "La base de datos no responde, o no se entiende lo que dice de los usuarios que se piden.",
    error_de(BaseDatosNoDisponible()),
    _usuarios_ilegibles(datetime(2024, 1, 15, tzinfo=UTC)),
    cabeceras=REINTENTO,
)


def rutas_de_informes(
    de_campañas: LecturaDeCampañas, de_influencers: LecturaDeCuentas, reloj: Callable[[], datetime]
) -> list[RutaDescrita]:
    """Las de campañas (la del negocio y, para quien no admite una ñ, otra en ASCII) y la de influencers."""
    de_una_campaña = _Descripcion(
        sujeto=DE_CAMPAÑA,
        lectura=de_campañas,
        con_usuarios=de_campañas,
        resumen="Ver el informe de una campaña",
        ademas="por influencer, cupón o procedencia, también de cuántos haya",
        parametros=_DESCRITOS,
        ejemplo="cmp-456",
    )
    de_un_influencer = _Descripcion(
        sujeto=DE_INFLUENCER,
        lectura=de_influencers,
        con_usuarios=None,
        resumen="Ver el informe de un influencer",
        ademas="también de en cuántas campañas esté",
        parametros=_DE_UN_INFLUENCER,
        ejemplo="inf-789",
    )
    return [
        _ruta_de_informe(de_una_campaña, reloj, "campaña", "informe"),
        _ruta_de_informe(de_una_campaña, reloj, "campana", "informe_de_campana"),
        _ruta_de_informe(de_un_influencer, reloj, "influencer", "informe_de_influencer"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Descripcion:
    """Lo que distingue al informe de un sujeto del de otro.

    Attributes:
        ademas: de qué más depende lo que tarda.
        ejemplo: uno de ellos.
    """

    sujeto: Sujeto
    lectura: LecturaDeCuentas
    con_usuarios: LecturaDeCampañas | None
    resumen: str
    ademas: str
    parametros: Sequence[Parametro]
    ejemplo: str


def _filas_de_ejemplo(forma: type[InformeDeAlguien]) -> Mapping[str, str]:
    """Las del ejemplo de esa forma, por su tipo de medio."""
    ejemplo = msgspec.convert(forma.ejemplos[0], forma)
    return {
        tipo: escritura_de(ejemplo, formato).entera(ejemplo.filas).decode()
        for tipo, formato in ((CSV, Formato.CSV), (NDJSON, Formato.NDJSON))
    }


async def _responder(formato: Formato, respondido: InformeDeAlguien, de: str) -> Response:
    """La respuesta con ese informe de quien se dice; en CSV y NDJSON, solo sus filas."""
    if formato is Formato.JSON:
        return await asyncio.to_thread(RespuestaJSON, respondido, headers=VARIA)
    nombre = (
        "informe",
        de,
        respondido.desde.date().isoformat(),
        respondido.hasta.date().isoformat(),
    )
    return await archivo(escritura_de(respondido, formato), respondido.filas, nombre)


def _ruta_de_informe(
    de: _Descripcion, reloj: Callable[[], datetime], de_que: str, id_de_la_operacion: str
) -> RutaDescrita:
    """La del informe de una `campaña` (o `campana`) o de un `influencer`."""
    registro = structlog.get_logger("informes")
    admitidos = {PARAMETRO, *(parametro.nombre for parametro in de.parametros)}

    async def atender(peticion: Request) -> Response:
        sujeto_id = peticion.path_params[f"{de_que}_id"]
        recolector = Recolector()
        parametros = leer_parametros(peticion.scope["query_string"], admitidos, recolector)
        formato = recolector.intentar(formato_pedido, peticion, parametros) or Formato.JSON
        try:
            # Partir un siglo en meses, o buscar nombres parecidos, son decenas de milisegundos.
            pedido = await asyncio.to_thread(pedido_de_informe, sujeto_id, parametros, reloj(), de.sujeto)
            recolector.exigir()
            hecho = await hacer_informe(de.lectura, pedido, de.con_usuarios)
        except UsuariosIlegibles as ilegibles:
            registro.error(
                f"usuarios ilegibles: ejecute `{ORDEN} recontar`",
                campaña_id=ilegibles.campaña_id,
                dia=ilegibles.dia,
            )
            raise _usuarios_ilegibles(ilegibles.dia) from None
        except InformeImposible as imposible:
            for falta in imposible.faltas:
                recolector.anotar(falta.parametro, CodigoDePeticion(falta.codigo), falta.frase)
            raise DatosInvalidos(recolector.fallos) from None
        return await _responder(formato, await asyncio.to_thread(informe, hecho, pedido), sujeto_id)

    operacion = Operacion(
        id=id_de_la_operacion,
        etiqueta=INFORMES,
        resumen=de.resumen,
        descripcion=(
            "Cuánto hubo por `ocurrido_en`, contado en la misma transacción que registra cada evento: es lo "
            "que dicen las listas en ese instante. Lo que tarda depende de los intervalos y no de los "
            f"eventos; {de.ademas}. El total es la suma de las filas; las monedas no se suman entre sí. Una "
            "razón se calcula con lo de su fila. Un grupo está en todos los intervalos, y de quien no se "
            "conoce hay ceros. Lo que no se puede responder exacto se niega, y se dice qué pedir. En CSV y "
            "NDJSON van las filas, sin el total."
        ),
        parametros=(
            Parametro(nombre=f"{de_que}_id", lugar="path", esquema=IDENTIFICADOR, ejemplo=de.ejemplo),
            *de.parametros,
            FORMATO,
        ),
        contestaciones={
            200: Contestacion(
                descripcion="El informe.",
                formas=(FORMAS[de.sujeto],),
                otros_formatos=_filas_de_ejemplo(FORMAS[de.sujeto]),
            ),
            404: NO_ENCONTRADO,
            422: _SE_NIEGA,
            503: SIN_BASE_DE_DATOS if de.con_usuarios is None else _NO_SE_PUEDE,
        },
    )
    return RutaDescrita(
        plantilla=f"/tracking/{de_que}s/{{{de_que}_id}}/informe",
        metodo="GET",
        atencion=atender,
        alcance=Alcance.LECTURA,
        operacion=operacion,
    )
