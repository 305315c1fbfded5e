"""Lo que una clave deja hacer con los eventos que llegan con ella.

Qué es: a qué campañas se puede enviar y qué se antepone a cada `id`.
Qué no es: quién tiene qué clave, ni a qué rutas se entra con ella; eso es del borde.
Por qué existe: los `id` son un solo espacio, y dos tiendas que no se conocen no pueden ponerse de acuerdo en
cómo numerar sus pedidos: lo hace la clave de cada una.
"""

from dataclasses import dataclass
from typing import Final
from unicodedata import category

from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import (
    CampoInvalido,
    Codigo,
    DatosInvalidos,
    Fallo,
)
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import LONGITUD_IDENTIFICADOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Permiso:
    """Lo que se puede enviar.

    Attributes:
        campañas: a cuáles; `None`, a todas.
        prefijo: lo que se antepone al `id` de cada evento, también al asignado.
    """

    campañas: frozenset[str] | None = None
    prefijo: str = ""

    def con_prefijo(self, id_evento: str) -> str:
        """Devuelve el `id` con el prefijo delante, tal cual es cada uno.

        Raises:
            CampoInvalido: con el prefijo valdría algo que solo no vale, o los dos juntos no caben.
        """
        if id_evento != id_evento.strip():
            raise CampoInvalido(
                "id", Codigo.ESPACIO_EN_LOS_EXTREMOS, "no puede empezar ni terminar con un espacio"
            )
        if id_evento and category(id_evento[0]).startswith("M"):
            raise CampoInvalido(
                "id",
                Codigo.VALOR_NO_PERMITIDO,
                "no puede empezar por un signo que se combina con el prefijo de la clave",
            )
        cabe = LONGITUD_IDENTIFICADOR - len(self.prefijo)
        if len(en_nfc(id_evento)) > cabe:
            raise CampoInvalido(
                "id",
                Codigo.LONGITUD_EXCEDIDA,
                f"admite como mucho {cabe} caracteres: el prefijo de la clave ocupa {len(self.prefijo)} de "
                f"{LONGITUD_IDENTIFICADOR}",
            )
        return self.prefijo + id_evento

    def exigir(self, campaña_id: str) -> None:
        """No hace nada si se puede enviar a esa campaña.

        Raises:
            DatosInvalidos: no se puede.
        """
        if self.campañas is not None and campaña_id not in self.campañas:
            raise DatosInvalidos(
                [
                    Fallo(
                        "campaña_id",
                        CodigoDePeticion.SIN_PERMISO,
                        "la clave con que se envía no vale para esta campaña",
                    )
                ]
            )


SIN_LIMITES: Final = Permiso()
"""El de quien puede enviar a todas las campañas, con sus propios `id`."""
