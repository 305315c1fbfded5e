"""Las propiedades libres de un evento: un puñado de textos con nombre, que nunca son motivo de rechazo.

Qué es: la regla que las acota (cuántas, cuánto mide cada una) y repara lo que no se puede guardar, con un
aviso por cada cosa que tocó.
Qué no es: quien convierte en texto lo que llega en un JSON; eso lo hacen los mapeadores.
Por qué existe: una página de destino de 400 caracteres o una etiqueta de más no deben costarle a nadie una
venta. Lo que la regla devuelve, la regla lo acepta tal cual: la API y el consumidor dicen lo mismo.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from alpespartners.modulos.tracking.dominio.descriptivos import perdio_algo, texto_legible
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import ILEGIBLE, en_nfc

MAXIMO_PROPIEDADES: Final = 64
LONGITUD_CLAVE_PROPIEDAD: Final = 64
LONGITUD_VALOR_PROPIEDAD: Final = 2048
PREFIJO_DE_UN_NOMBRE: Final = 4 * LONGITUD_CLAVE_PROPIEDAD
"""Lo que se lee de un nombre: en NFC puede menguar a la cuarta parte, y lo demás no se guarda."""

_ILEGIBLE_EN_UN_NOMBRE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SIN_NOMBRE: Final = "(vacío)"


def propiedades_validas(propiedades: Mapping[str, str], recolector: Recolector) -> dict[str, str]:
    """Devuelve las propiedades dentro de sus límites; ver `reunir_propiedades`."""
    return reunir_propiedades(propiedades.items(), recolector) if propiedades else {}


def reunir_propiedades(pares: Iterable[tuple[str, str]], recolector: Recolector) -> dict[str, str]:
    """Reúne pares de nombre y valor en NFC: hasta 64, nombres de 1 a 64 caracteres, valores de hasta 2.048.

    Valen los primeros; cuántos sobran lo dice `propiedades_de_mas`. De dos con un mismo nombre y distinto
    valor, el segundo recibe otro (`pedido_2`).
    """
    reunidas: dict[str, str] = {}
    de_mas = 0
    for clave, valor in pares:
        if len(reunidas) == MAXIMO_PROPIEDADES:
            de_mas += 1
        else:
            _guardar(clave, valor, reunidas, recolector)
    if de_mas:
        recolector.avisar(f"propiedades_de_mas:{de_mas}")
    return reunidas


def nombre_legible(nombre: str) -> str:
    """Devuelve un nombre ajeno que se puede guardar y repetir en una respuesta: corto y sin controles."""
    if nombre.isascii() and nombre.isprintable():
        return nombre[:LONGITUD_CLAVE_PROPIEDAD] or _SIN_NOMBRE
    legible = en_nfc(_ILEGIBLE_EN_UN_NOMBRE.sub(ILEGIBLE, nombre[:PREFIJO_DE_UN_NOMBRE]))
    return legible[:LONGITUD_CLAVE_PROPIEDAD]


def _guardar(clave: str, valor: str, reunidas: dict[str, str], recolector: Recolector) -> None:
    legible = texto_legible(valor)
    recortado = legible[:LONGITUD_VALOR_PROPIEDAD]
    nombre = nombre_legible(clave)
    libre = _nombre_libre(nombre, recortado, reunidas)
    reunidas[libre] = recortado
    if libre != nombre:
        recolector.avisar(f"propiedad_repetida:{libre}")
    largo = len(clave) > PREFIJO_DE_UN_NOMBRE or len(en_nfc(clave)) > LONGITUD_CLAVE_PROPIEDAD
    if largo or len(recortado) < len(legible):
        recolector.avisar(f"propiedad_recortada:{libre}")
    if perdio_algo(valor, legible) or not clave or _ILEGIBLE_EN_UN_NOMBRE.search(clave):
        recolector.avisar(f"propiedad_reparada:{libre}")


def _nombre_libre(nombre: str, valor: str, reunidas: Mapping[str, str]) -> str:
    """El mismo, si no lo lleva otra con otro valor."""
    libre, numero = nombre, 1
    while reunidas.get(libre, valor) != valor:
        numero += 1
        sufijo = f"_{numero}"
        libre = nombre[: LONGITUD_CLAVE_PROPIEDAD - len(sufijo)] + sufijo
    return libre
