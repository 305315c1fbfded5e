"""Los destinos de todos los envíos, contados a una persona."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from alpespartners.cli import principal
from alpespartners.cli.destinos import relato
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import DestinoListado
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import Transaccion
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada, Registrada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA, CONVERSION, recibido

DECIDIDO = datetime(2026, 1, 15, 10, 36, 0, 9_000, tzinfo=UTC)
LISTADO = DestinoListado(
    clase=clases.CONVERSIONES,
    evento_id="1001",
    comando_id="c-1",
    recibido_en=DECIDIDO,
    decidido_en=DECIDIDO,
    destino=Rechazada(Codigo.MONEDA_DESCONOCIDA, "moneda: no es una moneda activa", ("moneda",)),
    campaña_id="cmp-1",
    influencer_id="inf-1",
    enviado={"id": "1001", "valor": Decimal("150000.00")},
)


def test_un_destino_dice_cuando_de_que_id_que_paso_a_quien_iba_y_que_se_envio() -> None:
    assert list(relato(LISTADO)) == [
        "2026-01-15 10:36:00.009 UTC  RECHAZADA  conversion 1001",
        "    No se registró (moneda_desconocida): moneda: no es una moneda activa.",
        "    Iba a: campaña cmp-1, influencer inf-1.",
        '    Se envió: {"id":"1001","valor":150000.00}',
        "    Comando c-1, recibido el 2026-01-15 10:36:00.009 UTC.",
    ]


def test_de_lo_que_ya_no_se_guarda_se_dice() -> None:
    lineas = list(relato(replace(LISTADO, enviado=None)))
    assert lineas[3] == (
        "    Lo que se envió no está guardado: pasaron sus días, o es anterior a que se guardara."
    )


def test_de_un_ilegible_no_hay_nada_que_ensenar() -> None:
    ilegible = replace(LISTADO, destino=Ilegible("no es Avro"), evento_id=None, campaña_id=None, enviado=None)
    assert list(relato(ilegible)) == [
        "2026-01-15 10:36:00.009 UTC  ILEGIBLE  conversion sin id",
        "    No se pudo descifrar: no es Avro. El mensaje está en las cartas muertas.",
        "    Comando c-1, recibido el 2026-01-15 10:36:00.009 UTC.",
    ]


def test_lo_que_escribio_otro_no_da_ordenes_a_la_terminal() -> None:
    hostil = "\x1b[2J"
    listado = replace(
        LISTADO,
        destino=Registrada(),
        evento_id=hostil,
        comando_id=hostil,
        campaña_id=hostil,
        enviado={"id": hostil, "referrer": "\u202e"},
    )
    assert all(linea.isprintable() for linea in relato(listado))


def ejecutar(*argumentos: str) -> object:
    with pytest.raises(SystemExit) as fin:
        principal(["destinos", *argumentos], prog_name="alpespartners")
    return fin.value.code or 0


@pytest.fixture
def datos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALPES_DATOS", str(tmp_path))
    return tmp_path


def test_la_orden_filtra_pagina_y_dice_como_seguir(datos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def trabajo(transaccion: Transaccion) -> None:
        malas = [recibido(replace(CONVERSION, moneda="ZZZ"), f"c-{numero}") for numero in range(2)]
        ManejadorDeRegistro(clases.CONVERSIONES).manejar(
            [recibido(CONVERSION, "c-9"), *malas], transaccion, AHORA
        )

    with libro_sqlite(datos) as (libro, _):
        asyncio.run(libro.ejecutar(trabajo))
    filtros = ("--motivo", "moneda_desconocida", "--campaña", "cmp-456", "--limite", "1")
    assert ejecutar(*filtros) == 0
    salida = capsys.readouterr()
    assert salida.out.count("RECHAZADA") == 1
    assert "Comando c-1," in salida.out
    cursor = salida.err.split()[-1]
    assert ejecutar(*filtros, "--cursor", cursor) == 0
    salida = capsys.readouterr()
    assert "Comando c-0," in salida.out
    assert salida.err == ""


def test_sin_ninguno_dice_donde_se_miro(datos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ejecutar() == 0
    assert capsys.readouterr().out == f"No hay ninguno. Se miró en {datos}.\n"


def test_un_filtro_mal_escrito_se_dice_en_una_frase(datos: Path) -> None:
    del datos
    dicho = str(ejecutar("--estado", "ACEPTADA", "--limite", "0"))
    assert "estado: debe ser uno de: REGISTRADA, DUPLICADA, RECHAZADA, ILEGIBLE" in dicho
    assert "limite: debe ser un entero entre 1 y 1000" in dicho


def test_de_un_instante_mal_escrito_en_una_terminal_no_se_habla_de_direcciones(datos: Path) -> None:
    del datos
    dicho = str(ejecutar("--desde", "2026-01-01"))
    assert "desde: debe ser RFC 3339 con zona, como 2024-01-15T10:30:00Z" in dicho
    assert "URL" not in dicho
