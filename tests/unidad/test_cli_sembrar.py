"""`alpespartners sembrar` en la terminal: una opción que no vale se dice por su nombre y nada se envía."""

import pytest
from typer.testing import CliRunner, Result

from alpespartners.cli import principal
from alpespartners.siembra import envio


@pytest.fixture
def sin_enviar(monkeypatch: pytest.MonkeyPatch) -> None:
    def sembrar(*_: object) -> None:
        pytest.fail("no debía enviar nada")

    monkeypatch.setattr(envio, "sembrar", sembrar)


def orden(*opciones: str) -> Result:
    return CliRunner().invoke(
        principal, ["sembrar", "--de-todos-modos", *opciones], env={"ALPES_DATOS": "/datos"}
    )


@pytest.mark.parametrize(
    ("opciones", "dicho"),
    [
        (["--eventos", "0"], "--eventos"),
        (["--eventos", "1000001"], "--eventos"),
        (["--dias", "367"], "--dias"),
        (["--semilla", "-1"], "--semilla"),
        (["--hasta", "ayer"], "No se entiende --hasta"),
        (["--hasta", "2024-01-15T00:00:00"], "No se entiende --hasta"),
        (["--hasta", "2999-01-01T00:00:00Z"], "--hasta no puede ser un instante que no ha llegado"),
        (["--hasta", "2001-01-02T00:00:00Z"], "--hasta es demasiado antiguo para 30 días"),
        (["--direccion", "localhost"], "--direccion"),
    ],
)
@pytest.mark.usefixtures("sin_enviar")
def test_una_opcion_que_no_vale_se_dice_por_su_nombre(opciones: list[str], dicho: str) -> None:
    resultado = orden(*opciones)
    assert resultado.exit_code == 2
    assert dicho in resultado.stderr
    assert resultado.stdout == ""


@pytest.mark.parametrize(("aqui", "otro"), [("http://localhost:8000", 8001), ("http://localhost:8001", 8002)])
@pytest.mark.usefixtures("sin_enviar")
def test_se_niega_y_propone_un_servicio_en_un_puerto_que_no_es_el_de_este(
    monkeypatch: pytest.MonkeyPatch, aqui: str, otro: int
) -> None:
    monkeypatch.setattr(envio, "campaña_de_otro", lambda _: "verano")
    resultado = CliRunner().invoke(principal, ["sembrar", "--direccion", aqui], env={"ALPES_DATOS": "/datos"})
    assert resultado.exit_code == 2
    assert f"ALPES_PUERTO={otro} ./bin/iniciar" in resultado.stderr
    assert f".venv/bin/alpespartners sembrar --direccion http://localhost:{otro})" in resultado.stderr


def test_interrumpida_dice_cómo_repetirla_exactamente(monkeypatch: pytest.MonkeyPatch) -> None:
    def sembrar(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(envio, "sembrar", sembrar)
    resultado = orden("--hasta", "2024-01-15T10:35:00-05:00", "--semilla", "4")
    assert resultado.exit_code == 2
    assert resultado.stderr == (
        "Interrumpida. 0 tienen respuesta; repetirlo es seguro y no añade nada dos veces: "
        ".venv/bin/alpespartners sembrar --direccion http://localhost:8000 --semilla 4 --eventos 50000 "
        "--dias 30 --hasta 2024-01-15T15:00:00Z\n"
    )


def test_si_no_se_acepta_lo_que_se_esperaba_termina_con_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def sembrar(*_: object) -> None:
        """No llega a enviar nada: ni lo que se espera que se rechace."""

    def como_se_esperaba(_: object) -> bool:
        return False

    monkeypatch.setattr(envio, "sembrar", sembrar)
    monkeypatch.setattr(envio.Sembrados, "como_se_esperaba", property(como_se_esperaba))
    resultado = orden("--hasta", "2024-01-15T10:35:00-05:00")
    assert resultado.exit_code == 1
    assert "No se aceptó todo lo que se esperaba" in resultado.stdout


def test_lo_nuevo_no_se_da_por_añadido_porque_pudo_enviarse_antes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envio, "sembrar", lambda *_: None)
    assert "quedan registrados, si no lo estaban ya" in orden("--hasta", "2024-01-15T10:35:00-05:00").stdout
