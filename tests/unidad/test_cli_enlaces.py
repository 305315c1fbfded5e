"""`alpespartners enlaces` en la terminal: qué dice, por dónde y con qué código termina."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.seedwork.orden import ORDEN


@pytest.fixture(autouse=True)
def _en_una_carpeta_nueva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_DATOS", str(tmp_path))


def enlaces(*argumentos: str) -> Result:
    return CliRunner().invoke(principal, ["enlaces", *argumentos])


def crear(*argumentos: str) -> Result:
    return enlaces("crear", "--campaña", "cmp-456", "--destino", "https://Tienda.com/a", *argumentos)


def falla(resultado: Result) -> str:
    assert resultado.exit_code != 0
    return str(resultado.exception)


def test_el_enlace_va_solo_por_la_salida_y_lo_demas_por_la_de_errores() -> None:
    creado = crear(
        *("--enlace", "juan", "--influencer", "inf-789", "--cupon", "JUAN10", "--parametro-clic", "cid"),
        *("--dominio", "otra.com", "--dominio", "*.tienda.com", "--vence", "2027-01-01T00:00:00-05:00"),
    )
    assert creado.exit_code == 0
    assert creado.stdout == "http://localhost:8000/c/juan\n"
    assert (
        "Enlace juan, campaña cmp-456 · influencer inf-789 · lleva a https://tienda.com/a · cupón JUAN10 · "
        "el clic, en cid · firmado, también a otra.com, *.tienda.com · cuenta hasta el "
        "2027-01-01 05:00:00.000 UTC.\n" in creado.stderr
    )


def test_se_escribe_con_la_direccion_que_se_diga() -> None:
    creado = crear("--enlace", "juan", "--direccion", "https://go.tienda.com")
    assert creado.stdout == "https://go.tienda.com/c/juan\n"


def test_repetirlo_igual_vale_y_con_otro_contenido_no_lo_cambia() -> None:
    crear("--enlace", "juan")
    assert crear("--enlace", "juan").stdout == "http://localhost:8000/c/juan\n"
    assert "Ya hay un enlace juan que no dice lo mismo" in falla(crear("--enlace", "juan", "--cupon", "X"))
    assert enlaces("ver", "juan").stdout == "juan  campaña cmp-456 · lleva a https://tienda.com/a\n"


def test_lo_que_no_vale_se_dice_todo_en_una_frase_y_no_se_guarda_nada() -> None:
    negado = falla(crear("--enlace", "a/b", "--vence", "mañana"))
    assert negado.startswith("No se puede crear ese enlace: vence_en debe ser RFC 3339 con zona")
    assert "; enlace_id solo admite letras" in negado
    assert enlaces("listar").stdout == "No hay ninguno.\n"


def test_listar_va_del_ultimo_al_primero_y_filtra() -> None:
    for nombre, influencer in (("a", "inf-1"), ("b", "inf-2"), ("c", "inf-1")):
        crear("--enlace", nombre, "--influencer", influencer)
    assert [linea[0] for linea in enlaces("listar").stdout.splitlines()] == ["c", "b", "a"]
    suyos = enlaces("listar", "--influencer", "inf-1", "--campana", "cmp-456", "--json").stdout
    assert [json.loads(linea)["enlace_id"] for linea in suyos.splitlines()] == ["c", "a"]
    assert enlaces("listar", "--campaña", "otra", "--json").stdout == ""


def test_listar_lee_la_campaña_como_al_crear_y_dice_lo_que_no_vale() -> None:
    enlaces("crear", "--campaña", "can\u0303on", "--enlace", "a", "--destino", "https://t.co")
    assert enlaces("listar", "--campaña", "can\u0303on").stdout.startswith("a  campaña cañon")
    negado = falla(enlaces("listar", "--campaña", "\udcff"))
    assert "campaña_id contiene un carácter sustituto suelto" in negado


def test_en_json_va_todo_lo_suyo() -> None:
    crear("--enlace", "juan")
    visto = json.loads(enlaces("ver", "juan", "--json").stdout)
    assert visto.pop("creado_en")
    assert visto == {
        "enlace_id": "juan",
        "campaña_id": "cmp-456",
        "influencer_id": None,
        "destino": "https://tienda.com/a",
        "cupon": None,
        "parametro_clic": "alp_clic",
        "dominios_permitidos": [],
        "vence_en": None,
    }


def test_cambiar_deja_lo_que_no_se_dice_y_vacio_quita() -> None:
    crear("--enlace", "juan", "--cupon", "X", "--dominio", "otra.com", "--vence", "2027-01-01T00:00:00Z")
    cambiado = enlaces("cambiar", "juan", "--destino", "https://tienda.com/b")
    assert cambiado.stdout == (
        "juan  campaña cmp-456 · lleva a https://tienda.com/b · cupón X · firmado, también a otra.com · "
        "cuenta hasta el 2027-01-01 00:00:00.000 UTC\n"
    )
    vacio = enlaces("cambiar", "juan", "--cupon", "", "--dominio", "", "--vence", "")
    assert vacio.stdout == "juan  campaña cmp-456 · lleva a https://tienda.com/b\n"
    assert enlaces("ver", "juan").stdout == vacio.stdout


def test_lo_que_no_se_puede_cambiar_se_dice() -> None:
    crear("--enlace", "juan")
    assert "Diga qué cambia" in falla(enlaces("cambiar", "juan"))
    assert "No se puede cambiar así ese enlace: destino debe ser" in falla(
        enlaces("cambiar", "juan", "--destino", "ftp://a")
    )


def test_firmar_escribe_el_enlace_y_el_secreto_es_siempre_el_mismo() -> None:
    crear("--enlace", "juan", "--dominio", "otra.com")
    pedido = ("firmar", "juan", "--destino", "https://otra.com/b", "--vence", "2999-01-01T00:00:00Z")
    firmado = enlaces(*pedido)
    assert firmado.exit_code == 0
    direccion = urlsplit(firmado.stdout.strip())
    assert (direccion.netloc, direccion.path) == ("localhost:8000", "/c/juan")
    consulta = parse_qs(direccion.query)
    assert consulta["destino"] == ["https://otra.com/b"]
    assert consulta["vence"] == ["32472144000"]
    assert len(consulta["firma"][0]) == 43
    assert enlaces(*pedido).stdout == firmado.stdout


def test_con_un_secreto_en_los_ajustes_firma_ese(monkeypatch: pytest.MonkeyPatch) -> None:
    crear("--enlace", "juan", "--dominio", "otra.com")
    pedido = ("firmar", "juan", "--destino", "https://otra.com/b")
    guardado = enlaces(*pedido).stdout
    monkeypatch.setenv("ALPES_SECRETO_DE_ENLACES", "el nuevo secreto, el viejo secreto")
    nuevo = enlaces(*pedido).stdout
    assert nuevo != guardado
    monkeypatch.setenv("ALPES_SECRETO_DE_ENLACES", "el nuevo secreto")
    assert enlaces(*pedido).stdout == nuevo


def test_no_se_firma_a_donde_el_enlace_no_permite() -> None:
    crear("--enlace", "juan")
    assert "su anfitrión no está entre los dominios_permitidos" in falla(
        enlaces("firmar", "juan", "--destino", "https://otra.com")
    )


@pytest.mark.parametrize(
    "orden", [("ver",), ("cambiar", "--cupon", "X"), ("firmar", "--destino", "https://otra.com")]
)
def test_del_que_no_existe_se_dice_como_ver_los_que_hay(orden: tuple[str, ...]) -> None:
    assert f"`{ORDEN} enlaces listar` dice los que hay" in falla(enlaces(*orden, "nadie"))
