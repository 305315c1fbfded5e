"""Qué pasa en una hora: visitas que acaban en clic o en compra, robots, reenvíos, choques y faltas.

Qué es: una sucesión sin fin de eventos de cada hora, de la que se toman los que toquen. Sale solo de la
semilla y de la hora: la misma hora es siempre la misma, se siembre cuando se siembre y con las que sea.
Por qué existe: así sembrar otra vez no añade nada, y sembrar mañana añade lo de mañana.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from itertools import count
from random import Random
from typing import Any, Final, Literal

from alpespartners.siembra.audiencias import PREFIJO
from alpespartners.siembra.calendario import Reparto, repartos

_TELEFONOS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
)
_ORDENADORES: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
)
_RASTREADOR: Final = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_CLICADOR: Final = "python-requests/2.32.3"

_ROBOTS: Final = 0.03
_CLICADORES: Final = 0.2
"""De los robots, los que además hacen clic sin parar."""
_VISUALIZACIONES: Final = 0.3
_SOLO_CON_EL_CUPON: Final = 0.004
"""Quien compra con el código que oyó, sin haber tocado ningún enlace."""
_TARDIAS: Final = 0.02
_HORAS_DE_TARDANZA: Final = 48
_CON_FALTAS: Final = {"impresion": 0.005, "conversion": 0.05}
"""Las ventas las envía el programa de cada tienda, y se equivoca más."""
_REENVIOS: Final = 0.015
_DE_OTRA_MANERA: Final = 0.3
"""De los reenvíos, los que vienen de otro agente: no dejan de ser el mismo evento."""
_CHOQUES: Final = 0.1
"""De las ventas, las que alguien vuelve a enviar con otro importe."""
_FIELES: Final = 0.5
"""La parte de las visitas que hace la décima parte de la audiencia."""
_SIN_PAIS: Final = 0.1
"""De las personas, las que llegan desde una dirección de la que no se sabe el país."""
_DESCUENTO: Final = Decimal("0.90")
_SEGUNDOS_DE_UNA_HORA: Final = 3_600
_MINUTOS_HASTA_COMPRAR: Final = 40


class Papel(Enum):
    """Qué se espera de un envío."""

    NUEVO = "nuevo"
    REPETIDO = "repetido"
    EN_CONFLICTO = "en conflicto"
    CON_FALTAS = "con faltas"


@dataclass(frozen=True, slots=True)
class Sembrado:
    """Un envío: el papel que hace y su cuerpo, como elemento de un lote."""

    papel: Papel
    cuerpo: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Persona:
    """Quien mira, o el robot que lo hace; un robot no tiene `usuario_id`."""

    usuario_id: str | None
    agente: str
    ip: str


def envios_de(semilla: int, hora: datetime) -> Iterator[Sembrado]:
    """Los de esa hora, sin fin; los primeros son siempre los mismos.

    Args:
        semilla: la misma da lo mismo.
        hora: en punto, en UTC.
    """
    azar = Random(f"{semilla} {hora:%Y-%m-%dT%H}")  # noqa: S311 (se repite con la semilla)
    de_la_hora = repartos(hora)
    pesos = [reparto.peso for reparto in de_la_hora]
    numeros = count(1)
    while True:
        (reparto,) = azar.choices(de_la_hora, pesos)
        for evento in _visita(azar, reparto, hora):
            evento["id"] = f"{PREFIJO}{semilla}-{hora:%Y%m%d%H}-{next(numeros)}"
            yield from _como_llega(azar, evento)


def _visita(azar: Random, reparto: Reparto, hora: datetime) -> Iterator[dict[str, Any]]:
    """Lo que hace una persona, o un robot, desde que ve algo hasta que se va."""
    audiencia, campaña = reparto.audiencia, reparto.campaña
    momento = hora + timedelta(seconds=azar.randrange(_SEGUNDOS_DE_UNA_HORA))
    if azar.random() < _TARDIAS:
        momento -= timedelta(hours=azar.randint(1, _HORAS_DE_TARDANZA))
    es_robot = azar.random() < _ROBOTS
    quien = _robot(azar) if es_robot else _persona(azar, reparto)
    comun = {
        "campaña_id": campaña.campaña_id,
        "influencer_id": audiencia.influencer_id,
        "usuario_id": quien.usuario_id,
        "user_agent": quien.agente,
        "ip_address": quien.ip,
        "referrer": audiencia.procedencia,
    }
    if not es_robot and audiencia.cupon is not None and azar.random() < _SOLO_CON_EL_CUPON:
        yield _conversion(azar, reparto, comun, momento, con_cupon=True)
        return
    yield _impresion(comun, "IMPRESION", momento)
    if es_robot:
        if quien.agente == _CLICADOR:
            yield _impresion(comun, "CLIC", momento + timedelta(seconds=1))
        return
    if azar.random() < _VISUALIZACIONES:
        momento += timedelta(seconds=azar.randint(3, 30))
        yield _impresion(comun, "VISUALIZACION", momento)
    if azar.random() < audiencia.clics:
        momento += timedelta(seconds=azar.randint(1, 60))
        yield _impresion(comun, "CLIC", momento)
        if azar.random() < audiencia.compras:
            momento += timedelta(seconds=azar.randint(60, 60 * _MINUTOS_HASTA_COMPRAR))
            yield _conversion(azar, reparto, comun, momento, con_cupon=azar.random() < 1 / 2)


def _impresion(
    comun: dict[str, Any], tipo: Literal["IMPRESION", "VISUALIZACION", "CLIC"], momento: datetime
) -> dict[str, Any]:
    return {"clase": "impresion", **comun, "tipo_evento": tipo, "timestamp": momento.isoformat()}


def _conversion(
    azar: Random, reparto: Reparto, comun: dict[str, Any], momento: datetime, *, con_cupon: bool
) -> dict[str, Any]:
    campaña, cupon = reparto.campaña, reparto.audiencia.cupon if con_cupon else None
    (tipo,) = azar.choices([*campaña.conversiones], [*campaña.conversiones.values()])
    cuerpo = {"clase": "conversion", **comun, "tipo_conversion": tipo, "timestamp": momento.isoformat()}
    if cupon is not None:
        cuerpo["cupon"] = cupon
    if tipo in {"VENTA", "SUSCRIPCION"}:
        (unidades,) = azar.choices((1, 2, 3), (12, 3, 1))
        importe = azar.choice(campaña.precios) * unidades * (_DESCUENTO if cupon is not None else 1)
        # Con todos sus decimales: un `12.5` y un `12.50` se leen igual, y uno de tres cifras, de dos maneras.
        cuerpo["valor"] = str(importe.quantize(Decimal(1).scaleb(-campaña.decimales), ROUND_HALF_UP))
        cuerpo["moneda"] = campaña.moneda
    return cuerpo


def _persona(azar: Random, reparto: Reparto) -> _Persona:
    """Alguien de la audiencia; unos pocos vuelven mucho, y siempre con el mismo aparato."""
    audiencia = reparto.audiencia
    hasta = audiencia.personas // 10 if azar.random() < _FIELES else audiencia.personas
    numero = azar.randrange(hasta)
    suyo = Random(f"{audiencia.influencer_id} {numero}")  # noqa: S311 (se repite con la semilla)
    agentes = _TELEFONOS if suyo.random() < audiencia.telefono else _ORDENADORES
    return _Persona(
        usuario_id=f"{PREFIJO}{audiencia.influencer_id.removeprefix(PREFIJO)}-{numero}",
        agente=suyo.choice(agentes),
        # De ninguna máquina: la que significa «los encaminadores de esta subred» (RFC 4291, 2.6.1), de una de
        # su país, o, de los que no se sabe de dónde son, de un bloque de ejemplo (RFC 5737).
        ip=f"203.0.113.{suyo.randint(1, 254)}"
        if suyo.random() < _SIN_PAIS
        else f"{audiencia.direcciones}:{numero:x}::",
    )


def _robot(azar: Random) -> _Persona:
    if azar.random() < _CLICADORES:
        return _Persona(None, _CLICADOR, f"198.51.100.{azar.randint(1, 4)}")
    return _Persona(None, _RASTREADOR, f"192.0.2.{azar.randint(1, 254)}")


def _como_llega(azar: Random, evento: dict[str, Any]) -> Iterator[Sembrado]:
    """El evento como lo envía quien integra: casi siempre una vez y bien."""
    if azar.random() < _CON_FALTAS[evento["clase"]]:
        yield Sembrado(Papel.CON_FALTAS, _estropeado(azar, evento))
        return
    yield Sembrado(Papel.NUEVO, evento)
    if azar.random() < _REENVIOS:
        difiere = {"user_agent": "reintentos/1.4"} if azar.random() < _DE_OTRA_MANERA else {}
        yield Sembrado(Papel.REPETIDO, evento | difiere)
    if "valor" in evento and azar.random() < _CHOQUES:
        doble = {"valor": str(2 * Decimal(evento["valor"]))}
        yield Sembrado(Papel.EN_CONFLICTO, evento | doble)


def _estropeado(azar: Random, evento: dict[str, Any]) -> dict[str, Any]:
    """El mismo con una falta de las que se ven a diario."""
    faltas: list[dict[str, Any]] = [
        {"campaña_id": None},
        {"timestamp": "15/01/2024 10:35"},
        {"timestamp": evento["timestamp"].partition("+")[0]},
    ]
    if evento["clase"] == "impresion":
        faltas.append({"tipo_evento": "VISTO"})
    else:
        venta = {"tipo_conversion": "VENTA", "valor": "49.90", "moneda": "USD"}
        faltas += [
            venta | {"valor": "-49.90"},
            venta | {"valor": "150.000", "moneda": "COP"},
            venta | {"moneda": "PESOS"},
            venta | {"valor": None},
        ]
    return evento | azar.choice(faltas)
