"""`alpespartners claves` en la terminal: qué dice, por dónde y con qué código termina."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.composicion import ordenes
from tests.apoyo.base_datos import sql


@pytest.fixture(autouse=True)
def _en_una_carpeta_nueva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_DATOS", str(tmp_path))


@pytest.fixture
def esperas(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Los segundos que se quiso esperar, que no se esperan."""
    hechas: list[float] = []
    monkeypatch.setattr("time.sleep", hechas.append)
    return hechas


def claves(*argumentos: str) -> Result:
    return CliRunner().invoke(principal, ["claves", *argumentos])


def crear(*argumentos: str) -> Result:
    return claves("crear", "--nombre", "Tienda de Ana", *argumentos)


def test_la_clave_va_sola_por_la_salida_y_lo_demas_por_la_de_errores() -> None:
    creada = crear("--alcance", "captura", "--campaña", "cmp-1", "--prefijo", "ana-", "--limite", "100")
    assert creada.exit_code == 0
    assert creada.stdout.startswith("alpes_")
    assert creada.stdout.count("\n") == 1
    identidad = creada.stdout.split("_")[1]
    assert (
        f"Clave {identidad}, «Tienda de Ana» · captura · campañas cmp-1 · prefijo ana- · "
        "100 eventos por segundo." in creada.stderr
    )
    assert "no se puede volver a ver" in creada.stderr


def test_la_primera_avisa_de_que_desde_ahora_se_pide_clave_y_la_segunda_no() -> None:
    assert "desde ahora el servicio pide una clave" in crear("--alcance", "captura").stderr
    assert "desde ahora" not in crear("--alcance", "captura").stderr


def test_con_claves_en_los_ajustes_ya_se_pedia_y_no_se_avisa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_CLAVES_API", "k")
    assert "desde ahora" not in crear("--alcance", "captura").stderr


def test_con_el_servicio_abierto_la_primera_dice_que_ya_no_lo_esta(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALPES_SIN_CLAVE", "1")
    assert "ALPES_SIN_CLAVE=1 ya no abre el servicio" in crear("--alcance", "captura").stderr


def test_lo_que_no_vale_se_dice_todo_en_una_frase_y_no_se_guarda_nada() -> None:
    negada = crear("--alcance", "todo", "--limite", "0")
    assert negada.exit_code != 0
    assert (
        "No se puede crear esa clave: --alcance debe ser captura o lectura o operacion o navegador; --limite"
        in str(negada.exception)
    )
    assert claves("listar").stdout == "No hay ninguna.\n"


def test_listar_dice_de_cada_una_que_deja_hacer_y_si_vale_y_nunca_su_secreto(esperas: list[float]) -> None:
    vale = crear("--alcance", "captura", "--alcance", "lectura").stdout.strip()
    revocada = crear("--dialecto", "segment", "--caduca", "2999-01-01").stdout.strip()
    claves("revocar", revocada.split("_")[1])
    assert len(esperas) == 1
    de_segment = "«Tienda de Ana» · captura · por segment · hasta el 2999-01-01 00:00:00.000 UTC"
    lineas = claves("listar").stdout.splitlines()
    assert lineas == [
        f"{vale.split('_')[1]}  vale  «Tienda de Ana» · captura y lectura",
        f"{revocada.split('_')[1]}  revocada  {de_segment}",
    ]


def test_listar_en_json_da_una_por_linea_sin_la_sal_ni_el_resumen() -> None:
    assert claves("listar", "--json").stdout == ""
    crear("--alcance", "captura", "--campaña", "cmp-1")
    (linea,) = claves("listar", "--json").stdout.splitlines()
    leida = json.loads(linea)
    assert set(leida) == {
        *("id", "nombre", "alcances", "dialecto", "campañas", "prefijo", "limite"),
        *("caduca_en", "creada_en", "revocada_en", "origenes", "publica"),
    }
    assert (leida["alcances"], leida["campañas"], leida["revocada_en"]) == (["captura"], ["cmp-1"], None)


def test_la_de_una_pagina_se_dice_siempre_entera_y_se_revoca_por_su_texto(esperas: list[float]) -> None:
    de_una_pagina = ("--alcance", "navegador", "--origen", "https://Tienda.com", "--campaña", "cmp-1")
    creada = crear(*de_una_pagina)
    publica = creada.stdout.strip()
    assert publica.startswith("pk_")
    assert "Es pública" in creada.stderr
    assert "no se puede volver a ver" not in creada.stderr
    assert f"desde https://tienda.com · en la página, {publica}" in claves("listar").stdout
    leida = json.loads(claves("listar", "--json").stdout)
    assert (leida["publica"], leida["origenes"]) == (publica, ["https://tienda.com"])
    assert claves("revocar", publica).exit_code == 0
    assert "  revocada  " in claves("listar").stdout
    assert len(esperas) == 1


@pytest.mark.parametrize("opciones", [[], ["--json"]])
def test_listar_nombra_la_que_no_se_entiende_y_enumera_las_demas(tmp_path: Path, opciones: list[str]) -> None:
    mala, buena = (crear("--alcance", "captura").stdout.split("_")[1] for _ in range(2))
    sql(tmp_path, f"UPDATE claves SET dialecto = 'mixpanel' WHERE identidad = '{mala}'")  # noqa: S608
    lista = claves("listar", *opciones)
    assert lista.exit_code == 0
    (linea,) = lista.stdout.splitlines()
    assert buena in linea
    assert f"La clave {mala} no se entiende, y no vale" in lista.stderr
    sql(tmp_path, f"DELETE FROM claves WHERE identidad = '{buena}'")  # noqa: S608
    assert claves("listar", *opciones).stdout == ""


@pytest.mark.parametrize("entera", [False, True])
def test_revocar_espera_a_que_lo_lean_todos_y_dice_lo_que_espero(
    esperas: list[float], *, entera: bool
) -> None:
    clave = crear("--alcance", "captura").stdout.strip()
    revocada = claves("revocar", clave if entera else clave.split("_")[1])
    assert revocada.exit_code == 0
    assert esperas == [ordenes.SEGUNDOS_TRAS_REVOCAR]
    assert f"Se han esperado {ordenes.SEGUNDOS_TRAS_REVOCAR:g} segundos" in revocada.stdout
    assert clave.split("_", 2)[2] not in revocada.output


def test_revocar_una_que_no_existe_lo_dice_y_no_espera(esperas: list[float]) -> None:
    negada = claves("revocar", "k7m2xq9wfh3d")
    assert negada.exit_code != 0
    assert "No hay ninguna clave k7m2xq9wfh3d" in str(negada.exception)
    assert esperas == []


@pytest.mark.parametrize("delante", ["", "alpes_"])
def test_revocar_no_repite_lo_que_no_es_una_identidad(esperas: list[float], delante: str) -> None:
    secreto = crear("--alcance", "captura").stdout.strip().split("_", 2)[2]
    negada = claves("revocar", "--", f"{delante}{secreto}")
    assert negada.exit_code != 0
    dicho = negada.output + str(negada.exception)
    # Un secreto lleva guiones bajos donde caigan, y ninguno de los trozos que se reconocen se repite.
    assert [trozo for trozo in [secreto, *secreto.split("_")] if len(trozo) > 3 and trozo in dicho] == []
    assert esperas == []


def test_en_la_base_de_datos_no_esta_el_secreto(tmp_path: Path) -> None:
    secreto = crear("--alcance", "captura").stdout.strip().split("_", 2)[2]
    assert sql(tmp_path, "SELECT count(*) FROM claves") == [(1,)]
    octetos = b"".join(archivo.read_bytes() for archivo in tmp_path.iterdir() if archivo.is_file())
    assert secreto.encode() not in octetos
