"""La ayuda y los errores de uso de la orden `alpespartners`, en español."""

import errno
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from alpespartners import __version__
from alpespartners.cli import principal
from alpespartners.cli.clase import NombreDeClase, leer_nombre
from alpespartners.medicion.montaje import ORDEN
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar

INGLES = re.compile(
    r"\b(usage|options?|arguments?|commands?|show|for|exit|default|required|missing|invalid|such|value|error)\b",
    re.IGNORECASE,
)


def ejecutar(*argumentos: str) -> int:
    with pytest.raises(SystemExit) as fin:
        principal(argumentos, prog_name="alpespartners")
    codigo = fin.value.code or 0
    assert isinstance(codigo, int)
    return codigo


def ordenes(grupo: object, *camino: str) -> Iterator[tuple[str, ...]]:
    """El camino de cada orden y de cada grupo, desde el de arriba."""
    assert isinstance(grupo, TyperGroup | TyperCommand)
    yield camino
    if isinstance(grupo, TyperGroup):
        for nombre, orden in grupo.commands.items():
            yield from ordenes(orden, *camino, nombre)


TODAS = list(ordenes(typer.main.get_command(principal)))


@pytest.mark.parametrize("camino", TODAS, ids=" ".join)
def test_la_ayuda_de_cada_orden_esta_en_español(
    capsys: pytest.CaptureFixture[str], camino: tuple[str, ...]
) -> None:
    assert ejecutar(*camino, "--help") == 0
    ayuda = capsys.readouterr().out
    assert "Uso: " in ayuda
    assert "Muestra esta ayuda y termina." in ayuda
    assert INGLES.findall(ayuda) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="falta /dev/full")
@pytest.mark.parametrize("sin_memoria", ["", "1"])
@pytest.mark.parametrize("orden", [["--version"], ["informe", "--help"], ["informe", "cmp-456", "--csv"]])
def test_si_no_cabe_lo_que_hay_que_decir_es_una_frase_y_no_una_traza(
    tmp_path: Path, orden: list[str], sin_memoria: str
) -> None:
    migrar(tmp_path)
    with Path("/dev/full").open("wb") as lleno:
        hecho = subprocess.run(
            [*ORDEN, *orden],
            stdout=lleno,
            stderr=subprocess.PIPE,
            env={**os.environ, "ALPES_DATOS": str(tmp_path), "PYTHONUNBUFFERED": sin_memoria},
            check=False,
        )
    assert (hecho.returncode, hecho.stderr.decode().splitlines()) == (
        2,
        [f"No se puede escribir lo que hay que decir: {os.strerror(errno.ENOSPC)}."],
    )


@pytest.mark.parametrize("camino", TODAS, ids=" ".join)
def test_todo_argumento_dice_lo_que_debe_ser_porque_sus_errores_lo_repiten(camino: tuple[str, ...]) -> None:
    orden = typer.main.get_command(principal)
    for nombre in camino:
        assert isinstance(orden, TyperGroup)
        orden = orden.commands[nombre]
    assert [parametro.name for parametro in orden.params if not getattr(parametro, "help", "")] == []


@pytest.mark.parametrize("camino", TODAS, ids=" ".join)
def test_una_opcion_que_no_existe_se_dice_en_cualquier_orden(
    capsys: pytest.CaptureFixture[str], camino: tuple[str, ...]
) -> None:
    assert ejecutar(*camino, "--nada") == 2
    assert "No existe la opción --nada." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("orden", "frase"),
    [
        ("foo", "No existe la orden «foo»."),
        ("concilia", "No existe la orden «concilia». ¿Quiso decir «conciliar»?"),
        ("cartas foo", "No existe la orden «foo»."),
        ("destino compra x", "Lo dado en clase no vale: De qué clase es el evento: impresion o conversion."),
        ("destino conversiones", "Falta id: Su id, tal como se envió."),
        ("iniciar --puerto", "A la opción --puerto le falta el valor, o no lleva ninguno."),
        ("iniciar x y", "Sobra «x y»."),
        ("conciliar --espera mucho", "Lo dado en --espera no vale: Segundos, de 0 a 3600, "),
        ("conciliar --espera 3601", "Lo dado en --espera no vale: Segundos, de 0 a 3600, "),
        ("cartas reinyectar conversion --a x", "Lo dado en --a no vale: El tópico al que debieron ir, "),
        ("--", "La orden no está completa o no se entiende."),
    ],
)
def test_una_orden_mal_escrita_dice_que_tiene_de_malo_y_donde_esta_la_ayuda(
    capsys: pytest.CaptureFixture[str], orden: str, frase: str
) -> None:
    assert ejecutar(*orden.split()) == 2
    errores = capsys.readouterr().err
    assert f"\n{frase}" in f"\n{errores}"
    assert errores.splitlines()[-1].startswith("Ayuda: alpespartners ")
    assert INGLES.findall(errores) == []


def test_dice_su_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert ejecutar("--version") == 0
    assert capsys.readouterr().out == f"alpespartners {__version__}\n"


@pytest.mark.parametrize(
    ("escrito", "leido"),
    [
        ("conversion", NombreDeClase.CONVERSION),
        ("conversiones", NombreDeClase.CONVERSION),
        ("Conversión", NombreDeClase.CONVERSION),
        ("conversio\u0301n", NombreDeClase.CONVERSION),
        ("impresiones", NombreDeClase.IMPRESION),
        ("IMPRESIÓN", NombreDeClase.IMPRESION),
    ],
)
def test_una_clase_se_nombra_en_singular_o_en_plural_y_con_tilde_o_sin_ella(
    escrito: str, leido: NombreDeClase
) -> None:
    assert leer_nombre(escrito) is leido


@pytest.mark.parametrize("puerto", ["abc", "65536", "-1", "80_80", "+80", "\u0668\u0660"])
def test_un_puerto_de_la_terminal_se_mira_como_el_del_ambiente(
    capsys: pytest.CaptureFixture[str], puerto: str
) -> None:
    assert ejecutar("iniciar", f"--puerto={puerto}") == 2
    assert "Lo dado en --puerto no vale: Puerto, de 0 a 65535;" in capsys.readouterr().err


@pytest.mark.parametrize("orden", ["iniciar", "api"])
@pytest.mark.parametrize("procesos", ["dos", "0", "65", "-1", "+2", "1.5"])
def test_un_numero_de_procesos_que_no_vale_se_dice_en_una_frase(
    capsys: pytest.CaptureFixture[str], orden: str, procesos: str
) -> None:
    assert ejecutar(orden, f"--procesos={procesos}") == 2
    assert "Lo dado en --procesos no vale: Procesos de la API en ese puerto, de 1 a 64;" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("camino", [(), ("cartas",)])
def test_un_grupo_sin_orden_muestra_su_ayuda(
    capsys: pytest.CaptureFixture[str], camino: tuple[str, ...]
) -> None:
    assert ejecutar(*camino) == 2
    assert "Órdenes" in capsys.readouterr().out
