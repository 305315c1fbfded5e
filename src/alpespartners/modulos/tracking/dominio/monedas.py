"""Las monedas en que se puede pagar, cuántos decimales tiene cada una y hasta cuándo existió.

Qué es: las monedas de ISO 4217 con unidad menor: las activas (*List One*) y, con su último mes, las retiradas
desde el año 2000 (*List Three*), ambas como se publicaron el 2026-01-01. Quedan fuera metales, fondos sin
unidad y códigos de prueba (XAU, XDR, XXX, XTS…).
Qué no es: tipos de cambio ni nombres de monedas. Tampoco dice desde cuándo existe cada una: un reloj algo
atrasado no debe costar una venta.
Por qué existe: el dominio solo usa la biblioteca estándar, y el veredicto sobre un evento no debe
cambiar porque se actualice una dependencia. Una prueba compara las tablas con la biblioteca `iso-4217`.
"""

from datetime import UTC, datetime

_POR_DECIMALES = {
    0: ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD "
        "BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP "
        "DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
        "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL "
        "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR "
        "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD "
        "USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: ("BHD IQD JOD KWD LYD OMR TND"),
    4: ("CLF UYW"),
}

_RETIRADAS = {
    "2000-02": "AON AOR",
    "2000-09": "ECS ECV",
    "2000-12": "BYB",
    "2001-04": "TJR",
    "2002-02": "ATS BEF DEM ESP FIM FRF GRD IEP ITL LUF NLG PTE",
    "2002-11": "TPE",
    "2003-01": "AFA",
    "2003-07": "ADP YUM",
    "2003-11": "BGL",
    "2003-12": "RUR SRG",
    "2004-11": "CHC",
    "2004-12": "MGF",
    "2005-06": "ROL",
    "2005-10": "AYM",
    "2005-12": "AZM TRL",
    "2006-06": "MZM",
    "2006-09": "ZWN",
    "2006-10": "CSD",
    "2006-12": "SIT",
    "2007-06": "GHP SDD",
    "2007-12": "CYP GHC MTL VEB",
    "2008-08": "ZWD",
    "2008-12": "SKK TMM",
    "2009-06": "ZWR",
    "2010-12": "EEK",
    "2012-12": "ZMK",
    "2013-12": "LVL",
    "2014-03": "USS",
    "2014-12": "LTL",
    "2016-12": "BYR",
    "2017-12": "MRO STD",
    "2018-08": "VEF",
    "2021-06": "CUC",
    "2022-12": "HRK",
    "2023-12": "SLL",
    "2024-08": "ZWL",
    "2025-03": "ANG",
    "2025-12": "BGN",
}
"""Último mes en que existió cada una. La norma da a veces ese mes (LTL, 2014-12) y a veces el siguiente (HRK,
2023-01); si se retiró a mitad de mes, vale el mes entero."""

_RETIRADAS_SIN_DECIMALES = "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL"
"""La lista de retiradas no da la unidad menor. Estas no la usaban, según las listas activas de su tiempo (las
transcribe `java.util.Currency`); las demás, dos decimales."""

DECIMALES: dict[str, int] = {
    codigo: decimales for decimales, codigos in _POR_DECIMALES.items() for codigo in codigos.split()
} | {
    codigo: 0 if codigo in _RETIRADAS_SIN_DECIMALES.split() else 2
    for codigos in _RETIRADAS.values()
    for codigo in codigos.split()
}
"""Código ISO 4217 → decimales de su unidad menor (0 a 4), de las activas y de las retiradas."""


def _mes_siguiente(mes: str) -> datetime:
    año, numero = map(int, mes.split("-"))
    return datetime(año + numero // 12, numero % 12 + 1, 1, tzinfo=UTC)


RETIRADA_EN: dict[str, datetime] = {
    codigo: _mes_siguiente(mes) for mes, codigos in _RETIRADAS.items() for codigo in codigos.split()
}
"""Código de una retirada → el instante desde el que ya no se puede pagar en ella.

Los días se cuentan en UTC: donde se adoptó el euro la medianoche llega antes, y nadie pierde una venta.
"""
