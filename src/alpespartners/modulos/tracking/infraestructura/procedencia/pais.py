"""De una dirección IP, de qué país es, aproximadamente.

Qué es: dos maneras de decirlo. Sin más, el país al que un registro regional (RIR) asignó la dirección, que
coincide con el de quien la usa en torno al 95 % de las veces en IPv4 (Zander, 2012); o el de un archivo
MaxMind DB que ponga quien opera.
Qué no es: una localización: quien usa una VPN o un operador de otro país sale en el suyo.
Por qué existe: una campaña de Colombia con clics de otro continente es una pregunta que hay que poder hacer.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import maxminddb
from iptocc import country_code

from alpespartners.seedwork.arranque import ErrorDeArranque

_RECORDADAS: Final = 4_096
_ISO_3166: Final = re.compile("[A-Z]{2}")
_LONGITUD_DE_UN_NOMBRE: Final = 64


class Paises(Protocol):
    """Quien sabe de qué país es una dirección."""

    @property
    def reglas(self) -> str:
        """De qué datos lo sabe, y de cuándo son."""

    def de(self, direccion: str) -> str | None:
        """El código ISO 3166-1 alfa-2, o `None` si no se sabe.

        Raises:
            ValueError: no es una dirección.
        """


class PaisesDeLosRegistros:
    """Los que dicen los cinco registros regionales, con los datos que trae `iptocc`."""

    reglas: str = f"iptocc-{version('iptocc')}"

    def de(self, direccion: str) -> str | None:
        """El país al que se asignó esa dirección."""
        return country_code(direccion)


class PaisesDeArchivo:
    """Los que dice un archivo MaxMind DB (GeoLite2, DB-IP, IPinfo…), que se lee al arrancar.

    Args:
        archivo: el suyo.

    Raises:
        ErrorDeArranque: no es uno de esos archivos.
    """

    def __init__(self, archivo: Path) -> None:
        try:
            self._datos = maxminddb.open_database(archivo)
        except (OSError, maxminddb.InvalidDatabaseError):
            raise ErrorDeArranque(f"ALPES_PAISES no vale: {archivo} no es un archivo MaxMind DB.") from None
        hechos = self._datos.metadata()
        self.reglas = f"{hechos.database_type[:_LONGITUD_DE_UN_NOMBRE]}-{hechos.build_epoch}"
        self.de = lru_cache(_RECORDADAS)(self._de)

    def _de(self, direccion: str) -> str | None:
        registro: Any = self._datos.get(direccion)
        if not isinstance(registro, Mapping):
            return None
        pais = registro.get("country", registro.get("registered_country", registro.get("country_code")))
        codigo = pais.get("iso_code") if isinstance(pais, Mapping) else pais
        return codigo if isinstance(codigo, str) and _ISO_3166.fullmatch(codigo) else None
