"""Los apuntes de una importación: por dónde va, y sus rechazos una sola vez."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from alpespartners.traspaso.apuntes import Apuntes, OtraImportacion, Rechazo
from alpespartners.traspaso.cliente import NoSePuedeEnviar


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def abrir(base: Path, huella: str = "h", hacia: str = "http://localhost:8000") -> Apuntes:
    return Apuntes(base, huella, hacia)


def rechazo(linea: int) -> Rechazo:
    return Rechazo(linea=linea, id=None, codigo="csv_ilegible", estado=None, problema={}, fila="x")


def rechazadas(base: Path) -> list[int]:
    lineas = base.with_name("a.csv.rechazados.ndjson").read_bytes().splitlines()
    return [json.loads(linea)["linea"] for linea in lineas]


def morir_en(base: Path, linea: int) -> None:
    """Apunta esa línea, que se rechaza, y se interrumpe."""
    with suppress(NoSePuedeEnviar), abrir(base) as apuntes:
        apuntes.rechazar(rechazo(linea))
        apuntes.linea = linea
        raise NoSePuedeEnviar


def test_quien_sigue_lo_hace_tras_la_ultima_linea_apuntada_y_con_sus_cuentas(base: Path) -> None:
    morir_en(base, 2)
    with abrir(base) as apuntes:
        assert (apuntes.linea, apuntes.cuentas.rechazadas) == (2, 1)
        assert apuntes.cuentas.motivos == {"csv_ilegible": 1}
        apuntes.rechazar(rechazo(3))
    assert rechazadas(base) == [2, 3]
    assert [ruta.name for ruta in base.parent.iterdir()] == ["a.csv.rechazados.ndjson"]


def test_un_rechazo_escrito_despues_de_lo_apuntado_no_sale_dos_veces(base: Path) -> None:
    morir_en(base, 2)
    with base.with_name("a.csv.rechazados.ndjson").open("ab") as archivo:
        archivo.write(b'{"linea":3}\n' * 50 + b'{"lin')
    with abrir(base) as apuntes:
        apuntes.rechazar(rechazo(3))
    assert rechazadas(base) == [2, 3]


def test_si_ninguna_fila_tuvo_respuesta_no_queda_nada_que_seguir(base: Path) -> None:
    with pytest.raises(NoSePuedeEnviar), abrir(base):
        raise NoSePuedeEnviar
    assert list(base.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("huella", "hacia", "por_que"),
    [
        ("otra", "http://localhost:8000", "este archivo era otro"),
        ("h", "https://otro", "iba a http://localhost:8000"),
    ],
)
def test_lo_que_hay_a_medias_de_otra_cosa_no_se_sigue(
    base: Path, huella: str, hacia: str, por_que: str
) -> None:
    morir_en(base, 2)
    with pytest.raises(OtraImportacion, match=por_que):
        abrir(base, huella, hacia)


def test_dos_a_la_vez_no_escriben_en_el_mismo_sitio(base: Path) -> None:
    with abrir(base), pytest.raises(OtraImportacion, match="ahora mismo"), abrir(base):
        pass


def test_las_faltas_de_una_rechazada_se_cuentan_cada_una_con_su_campo(base: Path) -> None:
    errores = [{"campo": "valor", "codigo": "requerido"}, {"campo": "moneda", "codigo": "requerido"}]
    with abrir(base) as apuntes:
        apuntes.rechazar(
            Rechazo(
                linea=2,
                id="c",
                codigo="datos_invalidos",
                estado=422,
                problema={"errores": errores},
                fila="x",
            )
        )
    assert apuntes.cuentas.rechazadas == 1
    assert apuntes.cuentas.motivos == {"requerido (valor)": 1, "requerido (moneda)": 1}
