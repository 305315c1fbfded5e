"""Las monedas en que se puede pagar y cuántos decimales tiene cada una.

Qué es: la lista activa de ISO 4217 (tabla A.1) que tiene unidad menor; quedan fuera metales, fondos
sin unidad y códigos de prueba (XAU, XDR, XXX, XTS…).
Qué no es: tipos de cambio ni nombres de monedas.
Por qué existe: el dominio solo usa la biblioteca estándar, y el veredicto sobre un evento no debe
cambiar porque se actualice una dependencia. Una prueba compara la tabla con la biblioteca `iso4217`.
"""

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

DECIMALES: dict[str, int] = {
    codigo: decimales for decimales, codigos in _POR_DECIMALES.items() for codigo in codigos.split()
}
"""Código ISO 4217 → decimales de su unidad menor (0 a 4)."""
