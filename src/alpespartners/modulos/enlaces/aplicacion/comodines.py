"""Los comodines que no abren nada: los que están bajo un dominio que es de alguien.

Qué es: la pregunta a la lista de sufijos públicos (publicsuffix.org), de la copia que trae la biblioteca:
nadie la descarga al funcionar.
Qué no es: la forma de un dominio (`dominio/enlace.py`).
Por qué existe: `*.com.co` o `*.github.io` son de cualquiera que registre un nombre, y un enlace que los
permite redirige adonde quiera quien consiga una firma.
"""

from collections.abc import Sequence
from functools import cache

from publicsuffixlist import PublicSuffixList

from alpespartners.modulos.enlaces.dominio.enlace import COMODIN
from alpespartners.modulos.enlaces.dominio.faltas import CodigoDeEnlace, NoVale


def exigir_dominios_de_alguien(dominios: Sequence[str]) -> None:
    """No hace nada si cada comodín de esos dominios, que son legibles, está bajo uno registrable.

    Cuentan los sufijos de los registros y los de quien da nombres a sus clientes (`myshopify.com`).

    Raises:
        NoVale: alguno está bajo un sufijo público.
    """
    for dominio in dominios:
        sufijo = dominio.removeprefix(COMODIN)
        if sufijo != dominio and _sufijos().is_public(sufijo):
            raise NoVale(
                CodigoDeEnlace.VALOR_NO_PERMITIDO,
                f"bajo {sufijo} registra nombres cualquiera: ponga uno suyo (*.tienda.{sufijo})",
            )


@cache
def _sufijos() -> PublicSuffixList:
    # Leerla cuesta decenas de milisegundos: quien no escribe comodines no los gasta.
    return PublicSuffixList()
