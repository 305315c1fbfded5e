"""`POST /tracking/importaciones`: un lote de lo que otro servicio ya registró, con lo que supo al recibirlo.

Qué es: un lote como los demás, cuyos elementos pueden traer la `lectura` que puso el servidor que los
registró. De ella solo se toman las `recibidas`, que serán las señales del comando: lo demás se lee otra vez.
Qué no es: otra puerta para quien envía. Lo que se supo de quien causó un evento no lo dice cualquiera: hace
falta una clave que, además de enviar, opere el servicio, o que no se pidan.
Por qué existe: que un clic se repetía, o que nadie llegó a ver la página, no se deduce de nada de lo que se
guarda. Sin esto, al importarlo sería único.
"""

from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.lotes import LIMITES, Lotes
from alpespartners.api.captura.tandas import Leer, entrada_con_clase
from alpespartners.api.http.claves import Alcance, clave_de
from alpespartners.api.http.rutas import Ruta
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada, NoValida
from alpespartners.modulos.tracking.dominio.excepciones import Fallo
from alpespartners.modulos.tracking.dominio.lectura import señales_ajenas

RUTA: Final = "/tracking/importaciones"

_LECTURA: Final = "lectura"


def ruta_de_importaciones(lotes: Lotes) -> Ruta:
    """La suya; no se describe: la llama `alpespartners importar`."""

    async def atender(peticion: Request) -> Response:
        return await lotes.recibir(
            peticion, LIMITES, _lector(opera=Alcance.OPERACION in clave_de(peticion).alcances)
        )

    return Ruta(plantilla=RUTA, metodo="POST", atencion=atender, alcance=Alcance.CAPTURA)


def _lector(*, opera: bool) -> Leer:
    """De un elemento a su entrada, si quien lo envía opera el servicio o no."""

    def leer(elemento: object) -> Entrada | NoValida:
        recibidas = _sacar_las_recibidas(elemento) if isinstance(elemento, dict) else ()
        entrada = entrada_con_clase(elemento)
        if not recibidas or isinstance(entrada, NoValida):
            return entrada
        if not opera:
            frase = "lo que supo quien lo recibió solo lo dice una clave de captura y operacion"
            return NoValida([Fallo(_LECTURA, CodigoDePeticion.SIN_PERMISO, frase)])
        return replace(entrada, señales=recibidas)

    return leer


def _sacar_las_recibidas(elemento: dict[str, Any]) -> tuple[str, ...]:
    """Las de la `lectura` que puso un servidor, que se quita; una de otro es un campo desconocido más."""
    lectura = elemento.get(_LECTURA)
    if not isinstance(lectura, dict) or "reglas" not in lectura:
        return ()
    del elemento[_LECTURA]
    recibidas = lectura.get("recibidas")
    escritas = recibidas if isinstance(recibidas, list) else []
    return señales_ajenas([señal for señal in escritas if isinstance(señal, str)])
