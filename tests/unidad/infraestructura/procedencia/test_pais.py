"""De qué país es una dirección, según el archivo que pone quien opera."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import maxminddb
import pytest

from alpespartners.modulos.tracking.infraestructura.procedencia.pais import PaisesDeArchivo
from alpespartners.seedwork.arranque import ErrorDeArranque


class _Archivo:
    """Lo que se usa de un archivo abierto."""

    def __init__(self, registro: object) -> None:
        self._registro = registro

    def metadata(self) -> Any:
        return SimpleNamespace(database_type="Prueba-Country", build_epoch=1_700_000_000)

    def get(self, _direccion: str) -> object:
        return self._registro


@pytest.mark.parametrize(
    ("registro", "pais"),
    [
        ({"country": {"iso_code": "CO", "names": {"es": "Colombia"}}}, "CO"),
        ({"registered_country": {"iso_code": "ES"}}, "ES"),
        ({"country": "MX"}, "MX"),
        ({"country_code": "PE"}, "PE"),
        ({"country": {"geoname_id": 1}}, None),
        ({"country": "Colombia"}, None),
        ({"country": "\x001"}, None),
        ({"continent": {"code": "SA"}}, None),
        (None, None),
        (["CO"], None),
    ],
)
def test_el_pais_se_halla_donde_lo_pone_cada_fabricante(
    monkeypatch: pytest.MonkeyPatch, registro: object, pais: str | None
) -> None:
    monkeypatch.setattr(maxminddb, "open_database", lambda _archivo: _Archivo(registro))
    paises = PaisesDeArchivo(Path("paises.mmdb"))
    assert paises.de("190.24.1.1") == pais
    assert paises.reglas == "Prueba-Country-1700000000"


def test_un_archivo_que_no_lo_es_impide_arrancar_y_se_nombra(tmp_path: Path) -> None:
    archivo = tmp_path / "paises.mmdb"
    archivo.write_bytes(b"no es uno")
    with pytest.raises(ErrorDeArranque, match=r"ALPES_PAISES no vale: .*paises\.mmdb"):
        PaisesDeArchivo(archivo)
