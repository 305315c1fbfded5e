"""De un informe al cuerpo de su respuesta.

Qué es: los nombres del contrato y cómo se escribe cada cifra. De aquí salen también sus esquemas.
Qué no es: una cuenta; todas vienen hechas.
Por qué existe: un importe sumado puede tener más cifras de las que muchos programas guardan en un número, y
por eso va como texto, con los decimales de su moneda. Las razones también: son decimales exactos.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType

from alpespartners.api.http.descripcion import CuerpoDescrito, Esquema
from alpespartners.modulos.informes.aplicacion import informe as hechos
from alpespartners.modulos.informes.aplicacion.informe import FILAS_MAXIMAS
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_CAMPAÑA,
    DE_INFLUENCER,
    Incluible,
    PedidoDeInforme,
    Sujeto,
)
from alpespartners.modulos.informes.aplicacion.puertos import Dimension
from alpespartners.modulos.informes.dominio import metricas as calculadas
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.cambios import Variacion
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.informes.dominio.intervalos import Granularidad, Intervalo
from alpespartners.modulos.informes.dominio.metricas import (
    CLASES_DE_CLIC,
    DECIMALES_DE_UNA_RAZON,
    DEFINICIONES,
    DEFINICIONES_POR_CLASE,
    NINGUNO,
    SIN_LEER,
    Recuento,
)
from alpespartners.modulos.informes.dominio.unicos import DEFINICION, ERROR_RELATIVO
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion

_DE_CONVERSION: Final = tuple(tipo.value for tipo in TipoConversion)
_UNIDADES: Final = {cuantos: Decimal(1).scaleb(-cuantos) for cuantos in {0, *DECIMALES.values()}}
"""La menor que se escribe de una moneda, por sus decimales."""
_TIPOS: Final = {"propertyNames": {"enum": [*TipoConversion]}}
_DE_SIEMPRE: Final = {**DEFINICIONES, **DEFINICIONES_POR_CLASE}
_POR_MONEDA: Final = Meta(description="Por moneda; solo las que hay.")

CONTADO_DE_EJEMPLO: Final[Esquema] = {
    "impresiones": 1200,
    "clics": 30,
    "visualizaciones": 0,
    "conversiones": {
        "VENTA": 2,
        "REGISTRO": 1,
        "SUSCRIPCION": 0,
        "DESCARGA": 0,
        "FORMULARIO": 0,
        "OTRA": 0,
    },
    "valor": {"COP": "300000.00"},
}

_DE_BOTS_DE_EJEMPLO: Final[Esquema] = {
    "impresiones": 40,
    "clics": 2,
    "visualizaciones": 0,
    "conversiones": dict.fromkeys(_DE_CONVERSION, 0),
    "valor": {},
}

_MEDIDO: Final[Esquema] = {
    "desde": "2024-01-15T00:00:00-05:00",
    "hasta": "2024-01-16T00:00:00-05:00",
    "incompleto": False,
    **CONTADO_DE_EJEMPLO,
    "clics_por_clase": {"UNICO": 24, "REPETIDO": 3, "INVALIDO": 1, "BOT": 2, "SIN_LEER": 0},
    "bots": _DE_BOTS_DE_EJEMPLO,
    "ctr": {"valor": "0.025000", "numerador": 30, "denominador": 1200},
    "tasa_conversion": {"valor": "0.100000", "numerador": 3, "denominador": 30},
    "ticket_medio": {"COP": {"valor": "150000.000000", "numerador": "300000.00", "denominador": 2}},
    "valor_por_clic": {"COP": {"valor": "10000.000000", "numerador": "300000.00", "denominador": 30}},
}
"""Un día de ejemplo, que es también su total."""

_EN_UTC: Final = {"desde": "2024-01-15T00:00:00Z", "hasta": "2024-01-16T00:00:00Z"}

Instante = Annotated[datetime, Meta(tz=True, description="Con la diferencia de la zona pedida.")]
EnUTC = Annotated[datetime, Meta(tz=True)]
Cuenta = Annotated[int, Meta(ge=0)]
Importe = Annotated[str, Meta(pattern=r"^\d+(\.\d+)?$")]
PorTipo = Annotated[
    Mapping[str, Cuenta], Meta(description="Por tipo; están todos.", extra_json_schema=_TIPOS)
]
PorClase = Annotated[
    Mapping[str, Cuenta],
    Meta(
        description="Por la clase que tuvieron al leerse; están todas, y suman `clics`.",
        extra_json_schema={"propertyNames": {"enum": [*CLASES_DE_CLIC, SIN_LEER]}},
    ),
]
Importes = Annotated[Mapping[str, Importe], _POR_MONEDA]
Diferencia = Annotated[str, Meta(pattern=r"^-?\d+(\.\d+)?$")]
Parte = Annotated[
    Annotated[str, Meta(pattern=r"^-?\d+\.\d{6}$")] | None,
    Meta(description="Con seis decimales, y a la cifra par en el punto medio; `null` si se divide por 0."),
]


class Razon(CuerpoDescrito):
    """Un cociente de recuentos, y de dónde sale."""

    valor: Parte
    numerador: Cuenta
    denominador: Cuenta


class RazonDeImporte(CuerpoDescrito):
    """Un cociente de un importe entre un recuento, y de dónde sale."""

    valor: Parte
    numerador: Importe
    denominador: Cuenta


class UsuariosUnicos(CuerpoDescrito):
    """Cuántos usuarios distintos hubo. No se suman: los del total no son los de sus filas sumados."""

    ejemplos = (
        {
            "valor": 51250,
            "exacto": False,
            "error_relativo": "0.016250",
            "minimo": 49668,
            "maximo": 52937,
            "aditivo": False,
            "eventos_con_usuario": 80412,
        },
    )

    valor: Cuenta
    exacto: Annotated[bool, Meta(description="Si es la cifra justa; lo es hasta 384.")]
    error_relativo: Annotated[
        str,
        Meta(pattern=r"^0\.\d{6}$", description="La desviación típica, como parte de lo que hay; exacta, 0."),
    ]
    minimo: Cuenta
    maximo: Annotated[
        Cuenta, Meta(description="La cifra justa está entre los dos noventa y cinco veces de cada cien.")
    ]
    aditivo: Annotated[bool, Meta(description="Siempre falso: los de dos filas no se suman.")]
    eventos_con_usuario: Annotated[
        Cuenta, Meta(description="De cuántos eventos salen; los que no traen usuario no cuentan para nadie.")
    ]


class DeBots(CuerpoDescrito):
    """Lo que parece de un robot (clase `BOT`): según `bots`, está además en las otras cifras o no."""

    impresiones: Cuenta
    clics: Cuenta
    visualizaciones: Cuenta
    conversiones: PorTipo
    valor: Importes


class Abarcado(CuerpoDescrito):
    """De `desde`, incluido, a `hasta`, sin incluirlo."""

    desde: Instante
    hasta: Instante
    incompleto: Annotated[bool, Meta(description="Si `hasta` aún no ha llegado: puede haber más.")]


class Medido(Abarcado, kw_only=True):
    """Las métricas; la fórmula de cada una está en `definiciones`."""

    impresiones: Cuenta
    clics: Cuenta
    visualizaciones: Cuenta
    conversiones: PorTipo
    valor: Importes
    clics_por_clase: PorClase
    bots: DeBots
    ctr: Razon
    tasa_conversion: Razon
    ticket_medio: Annotated[Mapping[str, RazonDeImporte], _POR_MONEDA]
    valor_por_clic: Annotated[Mapping[str, RazonDeImporte], _POR_MONEDA]
    usuarios_unicos: UsuariosUnicos | UnsetType = UNSET


class Diferencias(CuerpoDescrito):
    """Cuánto más que en el periodo con que se compara."""

    impresiones: int
    clics: int
    visualizaciones: int
    conversiones: Annotated[Mapping[str, int], Meta(extra_json_schema=_TIPOS)]
    valor: Mapping[str, Diferencia]


class Variaciones(CuerpoDescrito):
    """Esa diferencia, como parte de lo que hubo: `0.250000` es un cuarto más."""

    impresiones: Parte
    clics: Parte
    visualizaciones: Parte
    conversiones: Annotated[Mapping[str, Parte], Meta(extra_json_schema=_TIPOS)]
    valor: Mapping[str, Parte]


class Comparado(Medido, kw_only=True):
    """Lo mismo, en el periodo con que se compara."""

    diferencia: Diferencias
    variacion: Variaciones


class Total(Medido, kw_only=True):
    """Todas las filas juntas."""

    comparacion: Comparado | UnsetType = UNSET


class Fila(Total):
    """Un grupo en un intervalo: lo suyo de lo que se pidió en `por`, o `null` si sus eventos no lo tienen."""

    # Se escriben detrás de `incompleto`: msgspec deja para el final los campos que solo tienen nombre.
    campaña_id: str | UnsetType = UNSET
    influencer_id: str | UnsetType | None = UNSET
    tipo: str | UnsetType = UNSET
    clase: str | UnsetType | None = UNSET
    moneda: str | UnsetType | None = UNSET
    cupon: str | UnsetType | None = UNSET
    red: str | UnsetType | None = UNSET
    dispositivo: str | UnsetType | None = UNSET
    pais: str | UnsetType | None = UNSET
    robot: str | UnsetType | None = UNSET


_HECHO: Final[Esquema] = {
    "granularidad": "dia",
    "por": [],
    "comparar": None,
    "bots": "incluir",
    "calculado_en": "2024-01-16T13:00:00.250000Z",
    "definiciones": _DE_SIEMPRE,
}


def _ejemplo(sujeto: Sujeto, sujeto_id: str, zona: str, medido: Esquema, **en_utc: str) -> Esquema:
    """Un día, que es también el total."""
    abarca = {"desde": medido["desde"], "hasta": medido["hasta"]}
    return {
        sujeto.campo: sujeto_id,
        "zona": zona,
        **_HECHO,
        **abarca,
        **en_utc,
        "filas": [medido],
        "total": medido,
    }


class InformeDeAlguien(CuerpoDescrito, kw_only=True):
    """Lo común a todos, detrás de lo que tiene también posición: de quién es."""

    zona: str
    granularidad: Annotated[str, Meta(extra_json_schema={"enum": [*Granularidad]})]
    por: Sequence[Annotated[str, Meta(extra_json_schema={"enum": [*Dimension]})]]
    comparar: Annotated[str | None, Meta(extra_json_schema={"enum": [*Comparacion, None]})]
    bots: Annotated[
        str,
        Meta(description="Si las cifras los llevan.", extra_json_schema={"enum": [*Bots]}),
    ]
    desde: Instante
    hasta: Instante
    desde_utc: EnUTC
    hasta_utc: EnUTC
    calculado_en: Annotated[EnUTC, Meta(description="Cuándo se preguntó: lo registrado antes está.")]
    definiciones: Annotated[Mapping[str, str], Meta(description="La fórmula de cada métrica.")]
    filas: Annotated[
        Sequence[Fila],
        Meta(
            max_length=FILAS_MAXIMAS,
            description="Por intervalo y, dentro de él, por grupo; también las que son todo ceros.",
        ),
    ]
    total: Total


class Informe(InformeDeAlguien):
    """El informe de una campaña."""

    ejemplos = (
        _ejemplo(
            DE_CAMPAÑA,
            "cmp-456",
            "America/Bogota",
            _MEDIDO,
            desde_utc="2024-01-15T05:00:00Z",
            hasta_utc="2024-01-16T05:00:00Z",
        ),
    )

    campaña_id: str


class InformeInfluencer(InformeDeAlguien):
    """El informe de un influencer, en todas sus campañas."""

    ejemplos = (
        _ejemplo(
            DE_INFLUENCER,
            "inf-789",
            "UTC",
            {**_MEDIDO, **_EN_UTC},
            desde_utc=_EN_UTC["desde"],
            hasta_utc=_EN_UTC["hasta"],
        ),
    )

    influencer_id: str


FORMAS: Final[Mapping[Sujeto, type[InformeDeAlguien]]] = {
    DE_CAMPAÑA: Informe,
    DE_INFLUENCER: InformeInfluencer,
}
"""La del informe de cada sujeto."""


def informe(hecho: hechos.Informe, pedido: PedidoDeInforme) -> InformeDeAlguien:
    """El informe, como se responde."""
    escribir = _Escritura(pedido)
    periodo = pedido.periodo
    de_quien: dict[str, Any] = {pedido.sujeto.campo: pedido.sujeto_id}
    return FORMAS[pedido.sujeto](
        **de_quien,
        zona=pedido.zona.key,
        granularidad=pedido.granularidad,
        por=pedido.por,
        comparar=pedido.comparar,
        bots=pedido.bots,
        desde=periodo.desde.astimezone(pedido.zona),
        hasta=periodo.hasta.astimezone(pedido.zona),
        desde_utc=periodo.desde,
        hasta_utc=periodo.hasta,
        calculado_en=pedido.pedido_en,
        definiciones=_definiciones(pedido),
        filas=[Fila(**escribir.fila(fila), **escribir.grupo(fila.grupo)) for fila in hecho.filas],
        total=Total(**escribir.fila(hecho.total)),
    )


class _Escritura:
    """Cómo se escribe cada parte de un informe."""

    def __init__(self, pedido: PedidoDeInforme) -> None:
        self._zona: ZoneInfo = pedido.zona
        self._ahora = pedido.pedido_en
        self._por = pedido.por
        self._abarcados: dict[Intervalo, dict[str, Any]] = {}

    def grupo(self, grupo: hechos.Grupo) -> dict[str, Any]:
        return {dimension.value: valor or None for dimension, valor in zip(self._por, grupo, strict=True)}

    def fila(self, fila: hechos.Fila) -> dict[str, Any]:
        return {
            **self._abarcado(fila.intervalo),
            **_medido(fila.metricas),
            **_unicos(fila.usuarios),
            "comparacion": UNSET if fila.comparado is None else self._comparado(fila.comparado),
        }

    def _abarcado(self, intervalo: Intervalo) -> dict[str, Any]:
        if intervalo not in self._abarcados:
            # El de mil filas puede ser el mismo.
            self._abarcados[intervalo] = {
                "desde": intervalo.desde.astimezone(self._zona),
                "hasta": intervalo.hasta.astimezone(self._zona),
                "incompleto": intervalo.hasta > self._ahora,
            }
        return self._abarcados[intervalo]

    def _comparado(self, comparado: hechos.Comparado) -> Comparado:
        return Comparado(
            **self._abarcado(comparado.intervalo),
            **_medido(comparado.metricas),
            **_unicos(comparado.usuarios),
            diferencia=Diferencias(**contado(comparado.cambio.diferencia)),
            variacion=_variaciones(comparado.cambio.variacion),
        )


def contado(recuento: Recuento) -> dict[str, Any]:
    """Lo que se cuenta, como se escribe en una fila."""
    return {
        "impresiones": recuento.impresiones,
        "clics": recuento.clics,
        "visualizaciones": recuento.visualizaciones,
        "conversiones": {tipo: recuento.conversiones.get(tipo, 0) for tipo in _DE_CONVERSION},
        "valor": {moneda: _importe(importe, moneda) for moneda, importe in recuento.valor.items()},
    }


def _medido(metricas: calculadas.Metricas) -> dict[str, Any]:
    return {
        **contado(metricas),
        "clics_por_clase": metricas.clics_por_clase,
        # Lo corriente: no se escribe mil veces.
        "bots": _SIN_ROBOTS if metricas.bots is NINGUNO else DeBots(**contado(metricas.bots)),
        "ctr": _razon(metricas.ctr),
        "tasa_conversion": _razon(metricas.tasa_conversion),
        "ticket_medio": _razones(metricas.ticket_medio),
        "valor_por_clic": _razones(metricas.valor_por_clic),
    }


_SIN_ROBOTS: Final = DeBots(**contado(NINGUNO))


def _definiciones(pedido: PedidoDeInforme) -> Mapping[str, str]:
    if Incluible.USUARIOS_UNICOS not in pedido.incluir:
        return _DE_SIEMPRE
    return {**_DE_SIEMPRE, Incluible.USUARIOS_UNICOS.value: DEFINICION}


def _unicos(usuarios: Usuarios | None) -> dict[str, Any]:
    if usuarios is None:
        return {}
    distintos = usuarios.distintos
    return {
        Incluible.USUARIOS_UNICOS.value: UsuariosUnicos(
            valor=distintos.valor,
            exacto=distintos.exacto,
            error_relativo=f"{0 if distintos.exacto else ERROR_RELATIVO:.{DECIMALES_DE_UNA_RAZON}f}",
            minimo=distintos.minimo,
            maximo=distintos.maximo,
            aditivo=False,
            eventos_con_usuario=usuarios.eventos,
        )
    }


def _variaciones(variacion: Variacion) -> Variaciones:
    return Variaciones(
        impresiones=_parte(variacion.impresiones),
        clics=_parte(variacion.clics),
        visualizaciones=_parte(variacion.visualizaciones),
        conversiones={tipo: _parte(variacion.conversiones.get(tipo)) for tipo in TipoConversion},
        valor={moneda: _parte(parte) for moneda, parte in variacion.valor.items()},
    )


def _razon(razon: calculadas.Razon) -> Razon:
    return Razon(_parte(razon.valor), int(razon.numerador), razon.denominador)


def _razones(razones: Mapping[str, calculadas.Razon]) -> dict[str, RazonDeImporte]:
    return {
        moneda: RazonDeImporte(
            _parte(razon.valor), _importe(Decimal(razon.numerador), moneda), razon.denominador
        )
        for moneda, razon in razones.items()
    }


def _importe(importe: Decimal, moneda: str) -> str:
    """Con los decimales de su moneda, si así no cambia."""
    ajustado = importe.quantize(_UNIDADES[DECIMALES.get(moneda, 0)])
    return f"{ajustado if ajustado == importe else importe:f}"


def _parte(parte: Decimal | None) -> str | None:
    return None if parte is None else f"{parte:f}"
