"""De los octetos de un suceso a su entrada, sea lo que sea lo que llegó en su lugar.

Qué es: la lectura de su JSON y lo que queda de él si no se puede leer entero.
Qué no es: la conversión de lo leído (`traduccion.py`).
Por qué existe: a quien envía con un SDK no le sirve que se le diga que un suceso no es JSON: no lo lee. Tiene
que acabar en un destino, y por el `id` que le puso si se alcanza a ver.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import uuid5

from alpespartners.api.captura.dialectos.apertura import OCTETOS_DE_UN_SUCESO, cuesta_leer
from alpespartners.api.captura.dialectos.tabla import Tabla
from alpespartners.api.captura.dialectos.traduccion import Enviado, entrada_de
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada
from alpespartners.modulos.tracking.dominio.excepciones import Fallo
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json, leer_lo_legible, octetos_de_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Lectura:
    """La de los sucesos de un envío.

    Attributes:
        tabla: la de su dialecto.
        permiso: el de su clave.
        enviado: lo que dice el sobre de cuándo se envió.
        recibido_en: cuándo llegó, en UTC.
        completar: lo que la dirección dice del suceso y él no.
    """

    tabla: Tabla
    permiso: Permiso
    enviado: Enviado | None
    recibido_en: datetime
    completar: Callable[[object], object]

    def entrada(self, octetos: bytes) -> Entrada:
        """La de un suceso. Lo que no se puede leer se niega, con lo que se alcance a ver de él."""
        if cuesta_leer(octetos):
            return self._con_id(self._traducida({}, cabe=False), octetos)
        try:
            suceso = leer_json(octetos)
        except JsonIlegible as ilegible:
            legible = leer_lo_legible(octetos)
            entrada = self._con_id(self._traducida(legible, cabe=_cabe(octetos)), octetos)
            # La frase dice «El cuerpo …», y aquí es uno de muchos.
            frase = f"el suceso{str(ilegible).removeprefix('El cuerpo').rstrip('.')}"
            falta = Fallo("", CodigoDePeticion.ELEMENTO_ILEGIBLE, frase)
            se_sabe_que_es = isinstance(legible, dict) and entrada.negacion is not None
            return entrada if se_sabe_que_es else replace(entrada, negacion=[falta])
        cabe = _cabe(octetos) or octetos_de_json(suceso) <= OCTETOS_DE_UN_SUCESO
        return self._traducida(suceso, cabe=cabe)

    def _traducida(self, suceso: object, *, cabe: bool) -> Entrada:
        return entrada_de(
            self.completar(suceso),
            self.tabla,
            self.permiso,
            enviado=self.enviado,
            recibido_en=self.recibido_en,
            cabe=cabe,
        )

    def _con_id(self, entrada: Entrada, octetos: bytes) -> Entrada:
        """La misma; si no se sabe su `id`, uno que sale de sus octetos: repetido, es el mismo."""
        if entrada.id_derivado is not None:
            return entrada
        return replace(entrada, id_derivado=str(uuid5(self.tabla.espacio, sha256(octetos).hexdigest())))


def _cabe(octetos: bytes) -> bool:
    return len(octetos) <= OCTETOS_DE_UN_SUCESO
