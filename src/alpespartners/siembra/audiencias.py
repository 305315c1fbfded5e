"""Las campañas inventadas y la audiencia de cada influencer: con qué se parecen a las de verdad.

Qué es: una tabla. Cada influencer tiene una audiencia de otro tamaño, en otro país, que mira a otras horas y
compra de otra manera; cada campaña, su moneda, sus precios y sus días.
Qué no es: datos de nadie; los nombres no son de personas, y todo identificador empieza por `demo-`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

PREFIJO: Final = "demo-"
"""El comienzo de todo identificador inventado: lo separa de los de verdad."""


class Horario(Enum):
    """A qué horas mira una audiencia: el peso de cada hora de su día, desde las cero."""

    GENERAL = (3, 2, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 10, 9, 8, 7, 7, 8, 9, 11, 13, 14, 11, 6)
    NOCTURNO = (11, 8, 5, 3, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6, 7, 8, 10, 12, 15, 17, 15)
    DE_OFICINA = (1, 1, 1, 1, 1, 2, 5, 9, 12, 12, 11, 10, 13, 12, 10, 9, 9, 8, 6, 5, 5, 4, 3, 2)


class Dias(Enum):
    """Qué días mueve una campaña: el peso de cada día de la semana, desde el lunes."""

    PAREJOS = (10, 10, 10, 11, 12, 12, 11)
    LABORABLES = (13, 13, 12, 12, 10, 4, 5)
    DE_DESCANSO = (2, 2, 3, 5, 16, 24, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audiencia:
    """La de un influencer.

    Attributes:
        influencer_id: de quién es.
        zona: la de su reloj (IANA).
        direcciones: cómo empiezan las IPv6 de su país: los dos primeros grupos de un bloque asignado en él.
        horario: a qué horas mira.
        personas: cuántas son; también, cuánto pesa frente a las demás.
        clics: de cada impresión, qué parte acaba en clic, de 0 a 1.
        compras: de cada clic, qué parte acaba en conversión, de 0 a 1.
        cupon: el que reparte, si reparte alguno.
        procedencia: de dónde vienen, como `referrer`.
        telefono: qué parte mira desde un teléfono, de 0 a 1.
    """

    influencer_id: str
    zona: str
    direcciones: str
    horario: Horario
    personas: int
    clics: float
    compras: float
    cupon: str | None
    procedencia: str
    telefono: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaña:
    """Una campaña.

    Attributes:
        campaña_id: la que es.
        moneda: ISO 4217.
        decimales: los que lleva un importe suyo.
        precios: los de lo que vende.
        conversiones: qué se consigue, y cuánto pesa cada tipo.
        dias: cuáles la mueven.
        de_quincena: si se vende más los días en que se cobra, el 15 y el último.
        audiencias: a quién llega, y cuánto de cada audiencia.
    """

    campaña_id: str
    moneda: str
    decimales: int
    precios: Sequence[Decimal]
    conversiones: Mapping[str, int]
    dias: Dias
    de_quincena: bool
    audiencias: Sequence[tuple[Audiencia, int]]


def _precios(*escritos: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(escrito) for escrito in escritos)


_TRUCHA: Final = Audiencia(
    influencer_id="demo-la-trucha-viajera",
    zona="America/Bogota",
    direcciones="2800:484",
    horario=Horario.GENERAL,
    personas=9_000,
    clics=0.05,
    compras=0.07,
    cupon="TRUCHA10",
    procedencia="https://www.instagram.com/",
    telefono=0.86,
)
_FOGON: Final = Audiencia(
    influencer_id="demo-fogón-de-leña",
    zona="America/Bogota",
    direcciones="2800:484",
    horario=Horario.GENERAL,
    personas=4_000,
    clics=0.09,
    compras=0.16,
    cupon="FOGON",
    procedencia="https://www.youtube.com/",
    telefono=0.55,
)
_COLIBRI: Final = Audiencia(
    influencer_id="demo-colibrí-digital",
    zona="America/Mexico_City",
    direcciones="2806:2f0",
    horario=Horario.NOCTURNO,
    personas=14_000,
    clics=0.12,
    compras=0.02,
    cupon=None,
    procedencia="https://www.tiktok.com/",
    telefono=0.97,
)
_NOPAL: Final = Audiencia(
    influencer_id="demo-nopal-y-letras",
    zona="America/Mexico_City",
    direcciones="2806:2f0",
    horario=Horario.DE_OFICINA,
    personas=3_000,
    clics=0.07,
    compras=0.19,
    cupon="NOPAL15",
    procedencia="https://www.linkedin.com/",
    telefono=0.38,
)
_TRANVIA: Final = Audiencia(
    influencer_id="demo-tranvía-28",
    zona="Europe/Madrid",
    direcciones="2a02:9000",
    horario=Horario.NOCTURNO,
    personas=6_500,
    clics=0.06,
    compras=0.10,
    cupon="TRANVIA",
    procedencia="https://www.instagram.com/",
    telefono=0.80,
)
_ENCINA: Final = Audiencia(
    influencer_id="demo-la-encina",
    zona="Europe/Madrid",
    direcciones="2a02:9000",
    horario=Horario.GENERAL,
    personas=2_200,
    clics=0.11,
    compras=0.14,
    cupon="ENCINA5",
    procedencia="https://laencina.example/",
    telefono=0.45,
)
_PELICAN: Final = Audiencia(
    influencer_id="demo-pelican-trails",
    zona="America/New_York",
    direcciones="2600:1700",
    horario=Horario.DE_OFICINA,
    personas=5_000,
    clics=0.04,
    compras=0.12,
    cupon="PELICAN",
    procedencia="https://www.youtube.com/",
    telefono=0.62,
)
_NUTRIA: Final = Audiencia(
    influencer_id="demo-nutria-gamer",
    zona="America/Los_Angeles",
    direcciones="2600:1700",
    horario=Horario.NOCTURNO,
    personas=11_000,
    clics=0.08,
    compras=0.03,
    cupon=None,
    procedencia="https://www.twitch.tv/",
    telefono=0.24,
)

CAMPAÑAS: Final = (
    Campaña(
        campaña_id="demo-café-de-altura",
        moneda="COP",
        decimales=0,
        precios=_precios("38000", "52000", "96000", "150000"),
        conversiones={"VENTA": 90, "SUSCRIPCION": 10},
        dias=Dias.PAREJOS,
        de_quincena=True,
        audiencias=((_TRUCHA, 5), (_FOGON, 8), (_PELICAN, 1)),
    ),
    Campaña(
        campaña_id="demo-morrales-del-páramo",
        moneda="USD",
        decimales=2,
        precios=_precios("59.90", "89.00", "129.50"),
        conversiones={"VENTA": 100},
        dias=Dias.DE_DESCANSO,
        de_quincena=False,
        audiencias=((_PELICAN, 7), (_TRUCHA, 3), (_TRANVIA, 1)),
    ),
    Campaña(
        campaña_id="demo-inglés-en-casa",
        moneda="MXN",
        decimales=2,
        precios=_precios("349.00", "899.00", "2499.00"),
        conversiones={"REGISTRO": 70, "SUSCRIPCION": 20, "VENTA": 10},
        dias=Dias.LABORABLES,
        de_quincena=False,
        audiencias=((_NOPAL, 9), (_COLIBRI, 3)),
    ),
    Campaña(
        campaña_id="demo-aceite-de-la-sierra",
        moneda="EUR",
        decimales=2,
        precios=_precios("12.95", "34.50", "78.00"),
        conversiones={"VENTA": 95, "FORMULARIO": 5},
        dias=Dias.PAREJOS,
        de_quincena=False,
        audiencias=((_ENCINA, 10), (_TRANVIA, 4)),
    ),
    Campaña(
        campaña_id="demo-juego-de-la-selva",
        moneda="USD",
        decimales=2,
        precios=_precios("4.99", "9.99"),
        conversiones={"DESCARGA": 85, "VENTA": 15},
        dias=Dias.DE_DESCANSO,
        de_quincena=False,
        audiencias=((_NUTRIA, 6), (_COLIBRI, 2)),
    ),
    Campaña(
        campaña_id="demo-zapatos-de-quincena",
        moneda="COP",
        decimales=0,
        precios=_precios("129900", "189900", "249900"),
        conversiones={"VENTA": 100},
        dias=Dias.PAREJOS,
        de_quincena=True,
        audiencias=((_TRUCHA, 4), (_COLIBRI, 1)),
    ),
)
