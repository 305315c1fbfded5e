"""De los campos que dijo una página a la entrada de su evento.

Qué es: de qué clase es, y lo que de quien la mira sabe el servicio y no la página.
Qué no es: la lectura de un cuerpo ni de unos parámetros, que son de cada puerta.
Por qué existe: lo que una página diga de la dirección o del agente de quien la mira no vale nada; lo sabe
quien recibe la petición.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from alpespartners.api.http.visitante import Visitante
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo
from alpespartners.modulos.tracking.dominio.lectura import EN_LA_PAGINA

CLAVE: Final = "clave"
"""El campo en que una página dice la suya."""

_CLASE: Final = "clase"
_CLASES: Final = {clase.nombre: clase for clase in CLASES}
_PROPIEDADES: Final = "propiedades"
_DE_QUIEN_LLAMA: Final = frozenset({"user_agent", "ip_address", "referrer"})


def entrada_de_pagina(
    campos: Mapping[str, object],
    visitante: Visitante,
    faltas: Sequence[Fallo] = (),
    señales: tuple[str, ...] = (),
) -> Entrada:
    """La de esos campos, con el agente, la dirección y la procedencia de quien hizo la petición.

    Consta siempre: una página no lee qué fue de lo suyo. Sin `clase`, es de la del tipo que diga; si no dice
    ninguno, de la primera.

    Args:
        campos: los del evento, que pueden llevar además su `clase` y la clave de su página.
        visitante: quien hizo la petición.
        faltas: las que ya se saben de ellos.
        señales: lo que se sabe de quien lo causó, además de que lo hizo la página.
    """
    nombrada = campos.get(_CLASE)
    clase = _CLASES.get(nombrada) if isinstance(nombrada, str) else None
    todas = [*faltas]
    if clase is None:
        clase = next((una for una in CLASES if campos.get(una.campo_tipo) is not None), CLASES[0])
        if nombrada is not None:
            todas.append(Fallo(_CLASE, Codigo.VALOR_NO_PERMITIDO, f"debe ser {' o '.join(_CLASES)}"))
    ajenos = {_CLASE, CLAVE, *_DE_QUIEN_LLAMA, *visitante.extra}
    cuerpo = {nombre: valor for nombre, valor in campos.items() if nombre not in ajenos}
    sabido = {
        "user_agent": visitante.agente,
        "ip_address": visitante.direccion,
        "referrer": visitante.procedencia,
    }
    cuerpo |= {nombre: valor for nombre, valor in sabido.items() if valor is not None}
    if visitante.extra:
        dichas = cuerpo.get(_PROPIEDADES)
        suyas = dichas if isinstance(dichas, dict) else {} if dichas is None else {_PROPIEDADES: dichas}
        cuerpo[_PROPIEDADES] = {**suyas, **visitante.extra}
    return Entrada(clase, cuerpo, negacion=todas or None, consta=True, señales=(EN_LA_PAGINA, *señales))
