"""`alpespartners importar` contra una API de verdad, con los puertos en memoria.

El producto entero, con muertes de por medio, está en `test_exportar_e_importar.py`.
"""

import json
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from alpespartners.api.http.limites import DE_UN_EVENTO
from alpespartners.cli import principal
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.traspaso.apuntes import Rechazo
from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servidor import servidor


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


def importar(puerto: int, *argumentos: object, **opciones: Any) -> Result:
    orden = ["importar", "--direccion", f"http://127.0.0.1:{puerto}", *map(str, argumentos)]
    return CliRunner().invoke(principal, orden, **opciones)


def archivo(carpeta: Path, nombre: str, *lineas: str) -> Path:
    ruta = carpeta / nombre
    ruta.write_text("".join(f"{linea}\n" for linea in lineas), encoding="utf-8")
    return ruta


def rechazos(ruta: Path) -> list[Rechazo]:
    lineas = ruta.with_name(f"{ruta.name}.rechazados.ndjson").read_bytes().splitlines()
    return [msgspec.json.decode(linea, type=Rechazo) for linea in lineas]


def test_cada_fila_entra_por_la_api_y_al_acabar_no_queda_nada_al_lado(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    csv = archivo(
        tmp_path, "ventas.csv", "id,campaña_id,tipo_conversion", *(f"c-{n},a,REGISTRO" for n in range(90))
    )
    ndjson = archivo(tmp_path, "vistas.ndjson", '{"id":"i-1","campaña_id":"a","tipo_evento":"CLIC"}')
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, csv, ndjson)
    assert dicho.exit_code == 0, dicho.output
    assert dicho.stdout.splitlines() == [
        f"{csv}: 90 filas, 90 aceptadas.",
        f"{ndjson}: 1 fila, 1 aceptada.",
    ]
    assert {comando.id for comando, *_ in puertos.publicados} == {f"c-{n}" for n in range(90)} | {"i-1"}
    assert sorted(tmp_path.iterdir()) == [csv, ndjson]


def test_de_cada_rechazada_queda_la_linea_el_porque_y_la_fila(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    csv = archivo(
        tmp_path,
        "ventas.csv",
        "id;campaña_id;tipo_conversion;valor;moneda",
        "c-1;a;VENTA;19,90;EUR",
        "c-2;a;VENTA;150.000;COP",
        'c-3;"a',
        "c-4;a;REGISTRO;;",
        ";a;venta;1;EUR",
    )
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, csv)
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines() == [
        f"{csv}: 5 filas, 2 aceptadas, 3 rechazadas.",
        "  csv_ilegible: 1",
        "  valor_ambiguo (valor): 1",
        "  valor_ilegible (valor): 1",
        f"Las rechazadas están en {csv}.rechazados.ndjson.",
    ]
    ilegible, ambiguo, rota = rechazos(csv)
    assert (ilegible.linea, ilegible.id, ilegible.estado, ilegible.fila) == (
        2,
        "c-1",
        422,
        "c-1;a;VENTA;19,90;EUR",
    )
    assert [falta["codigo"] for falta in ilegible.problema["errores"]] == ["valor_ilegible"]
    assert [falta["codigo"] for falta in ambiguo.problema["errores"]] == ["valor_ambiguo"]
    assert (rota.linea, rota.id, rota.codigo, rota.estado, rota.fila) == (
        4,
        None,
        "csv_ilegible",
        None,
        'c-3;"a',
    )


def test_una_fila_sin_id_es_la_misma_cada_vez_que_se_importa(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    ndjson = archivo(tmp_path, "a.ndjson", *['{"campaña_id":"a","tipo_evento":"CLIC"}'] * 3)
    with servidor(api_en_memoria(puertos)) as puerto:
        assert importar(puerto, ndjson, "--esperar").stdout == f"{ndjson}: 3 filas, 3 registradas.\n"
        assert importar(puerto, ndjson, "--esperar").stdout == f"{ndjson}: 3 filas, 3 que ya estaban.\n"
    assert len({comando.id for comando, *_ in puertos.publicados}) == 3


def test_si_espera_el_destino_dice_lo_que_ya_estaba_con_diferencias_y_lo_que_choca(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    una = '{"id":"c","campaña_id":"a","tipo_conversion":"REGISTRO"'
    antes = archivo(tmp_path, "antes.ndjson", una + "}")
    despues = archivo(tmp_path, "despues.ndjson", una + ',"user_agent":"x"}', una + ',"cupon":"OTRO"}')
    with servidor(api_en_memoria(puertos)) as puerto:
        assert importar(puerto, antes, "--esperar").exit_code == 0
        dicho = importar(puerto, despues, "--esperar", "--a-la-vez", "1")
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines()[:2] == [
        f"{despues}: 2 filas, 1 que ya estaba, 1 con diferencias que no deciden el dinero, 1 rechazada.",
        "  conflicto_de_id: 1",
    ]
    (conflicto,) = rechazos(despues)
    assert (conflicto.estado, conflicto.problema["campos"]) == (409, ["cupon"])


def test_si_el_servicio_no_vuelve_termina_con_dos_y_la_misma_orden_sigue_desde_ahi(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    ruta = archivo(
        tmp_path,
        "a.csv",
        "id,campaña_id,tipo_evento",
        "i-1,,CLIC",
        "i-2,a,CLIC",
        "i-3,a,NADA",
        "i-4,a,CLIC",
    )
    puertos.disponible = False
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, ruta, "--espera", "0", "--a-la-vez", "1")
        assert dicho.exit_code == 2
        assert dicho.stderr == (
            f"El servicio de http://127.0.0.1:{puerto} responde 503. "
            "Se apuntó hasta la línea 2: la misma orden sigue desde ahí.\n"
        )
        puertos.disponible = True
        dicho = importar(puerto, ruta)
    assert dicho.exit_code == 1
    assert dicho.stdout.startswith(
        f"{ruta}: se sigue tras la línea 2.\n{ruta}: 4 filas, 2 aceptadas, 2 rechazadas.\n"
    )
    assert sorted(comando.id or "" for comando, *_ in puertos.publicados) == ["i-2", "i-4"]
    assert [rechazo.linea for rechazo in rechazos(ruta)] == [2, 4]


def test_si_el_servicio_tarda_en_volver_se_insiste_hasta_que_vuelve(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", *(f"i-{n},a,CLIC" for n in range(20)))
    puertos.disponible = False
    dichos: list[Result] = []
    with servidor(api_en_memoria(puertos)) as puerto:
        hilo = threading.Thread(target=lambda: dichos.append(importar(puerto, ruta)))
        hilo.start()
        hasta(lambda: Path(f"{ruta}.rechazados.ndjson").exists())
        puertos.disponible = True
        hilo.join()
    assert dichos[0].stdout == f"{ruta}: 20 filas, 20 aceptadas.\n"
    assert sorted(comando.id or "" for comando, *_ in puertos.publicados) == sorted(
        f"i-{n}" for n in range(20)
    )


@pytest.mark.parametrize("turno", ["1", "0"])
def test_a_quien_dice_cuando_volver_se_le_espera_y_no_cuenta_como_una_caida(
    puertos: PuertosEnMemoria, tmp_path: Path, turno: str
) -> None:
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", *(f"i-{n},a,CLIC" for n in range(300)))
    de_verdad = api_en_memoria(puertos)
    respondidos: list[float] = []

    async def con_limite(alcance: Any, recibir: Any, enviar: Any) -> None:
        """Dice 429 hasta que pasa lo que dice; con «0», diez veces."""
        a_tiempo = respondidos and time.monotonic() - respondidos[0] >= int(turno)
        if alcance["type"] == "lifespan" or (a_tiempo if int(turno) else len(respondidos) == 10):
            await de_verdad(alcance, recibir, enviar)
            return
        respondidos.append(time.monotonic())
        cabeceras = [(b"retry-after", turno.encode()), (b"content-length", b"2")]
        await enviar({"type": "http.response.start", "status": 429, "headers": cabeceras})
        await enviar({"type": "http.response.body", "body": b"{}"})

    with servidor(con_limite) as puerto:
        dicho = importar(puerto, ruta, "--espera", "0", "--a-la-vez", "1")
    assert dicho.stdout == f"{ruta}: 300 filas, 300 aceptadas.\n", dicho.stderr
    assert len(respondidos) == (1 if int(turno) else 10)


def test_sin_la_clave_que_hace_falta_no_se_sigue_y_con_ella_en_el_entorno_si(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", "i-1,a,CLIC")
    with servidor(api_en_memoria(puertos, claves=["ñandú"])) as puerto:
        dicho = importar(puerto, ruta)
        assert dicho.exit_code == 2
        assert "pide una clave: póngala en ALPES_CLAVES_API." in dicho.stderr
        assert importar(puerto, ruta, env={"ALPES_CLAVES_API": "ñandú,otra"}).exit_code == 0


def test_donde_no_esta_el_servicio_se_dice_y_no_se_rechaza_ninguna_fila(tmp_path: Path) -> None:
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", "i-1,a,CLIC")

    async def otro(_alcance: Any, recibir: Any, enviar: Any) -> None:
        if _alcance["type"] == "lifespan":
            while (await recibir())["type"] != "lifespan.shutdown":
                await enviar({"type": "lifespan.startup.complete"})
            await enviar({"type": "lifespan.shutdown.complete"})
            return
        await enviar({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await enviar({"type": "http.response.body", "body": b""})

    with servidor(otro) as puerto:
        dicho = importar(puerto, ruta)
    assert (dicho.exit_code, dicho.stdout) == (2, "")
    assert f"En http://127.0.0.1:{puerto} no está el servicio: responde 404." in dicho.stderr
    assert importar(puerto_libre(), ruta, "--espera", "0", "--de-nuevo").exit_code == 2


def test_lo_que_hubiera_a_medias_de_otro_contenido_no_se_sigue(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", ",,CLIC", "i-1,a,CLIC")
    puertos.disponible = False
    with servidor(api_en_memoria(puertos)) as puerto:
        assert importar(puerto, ruta, "--espera", "0", "--a-la-vez", "1").exit_code == 2
        archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", "i-2,a,CLIC")
        puertos.disponible = True
        dicho = importar(puerto, ruta)
        assert (dicho.exit_code, "este archivo era otro" in dicho.stderr) == (2, True)
        assert importar(puerto, ruta, "--de-nuevo").exit_code == 0


def test_la_entrada_estandar_se_importa_entera(
    puertos: PuertosEnMemoria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    linea = json.dumps({"id": "i-1", "campaña_id": "a"})
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, "-", "--formato", "ndjson", "--clase", "impresion", input=f"{linea}\nroto\n")
    assert dicho.exit_code == 1
    assert dicho.stdout.splitlines()[0] == "la entrada: 2 filas, 1 aceptada, 1 rechazada."
    assert rechazos(Path("entrada"))[0].codigo == "json_ilegible"


@pytest.mark.parametrize(
    ("argumentos", "frase"),
    [
        (["a.txt"], "No se sabe en qué formato está a.txt: diga --formato csv o --formato ndjson.\n"),
        (["no-esta.csv"], "No se puede leer no-esta.csv o escribir a su lado: No such file or directory.\n"),
    ],
)
def test_lo_que_no_se_puede_importar_se_dice_y_termina_con_dos(argumentos: list[str], frase: str) -> None:
    dicho = importar(1, *argumentos)
    assert (dicho.exit_code, dicho.stderr) == (2, frase)


def test_de_un_lote_a_medias_se_repiten_solo_las_filas_de_las_que_no_se_sabe(tmp_path: Path) -> None:
    class BrokerQueFallaAVeces(PuertosEnMemoria):
        """No confirma la primera vez ninguno de los pares."""

        negados: frozenset[str] = frozenset(f"i-{n}" for n in range(0, 40, 2))

        async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
            if comando.id in self.negados:
                self.negados -= {comando.id}
                raise BrokerNoDisponible
            await super().publicar(comando, comando_id=comando_id, traza=traza)

    puertos = BrokerQueFallaAVeces()
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", *(f"i-{n},a,CLIC" for n in range(40)))
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, ruta)
    assert dicho.stdout == f"{ruta}: 40 filas, 40 aceptadas.\n"
    assert sorted(comando.id or "" for comando, *_ in puertos.publicados) == sorted(
        f"i-{n}" for n in range(40)
    )


def test_si_una_fila_estropea_la_peticion_entera_solo_se_rechaza_ella(tmp_path: Path) -> None:
    class BrokerConUnaVenenosa(PuertosEnMemoria):
        async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
            if comando.id == "i-13":
                raise ValueError
            await super().publicar(comando, comando_id=comando_id, traza=traza)

    puertos = BrokerConUnaVenenosa()
    ruta = archivo(tmp_path, "a.csv", "id,campaña_id,tipo_evento", *(f"i-{n},a,CLIC" for n in range(30)))
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, ruta, "--esperar")
    assert dicho.exit_code == 1
    (rechazo,) = rechazos(ruta)
    assert (rechazo.linea, rechazo.id, rechazo.estado, rechazo.codigo) == (15, "i-13", 500, "error_interno")
    assert {comando.id for comando, *_ in puertos.publicados} == {f"i-{n}" for n in range(30)} - {"i-13"}


@pytest.mark.parametrize("con_id", [True, False])
def test_una_fila_cabe_en_un_lote_si_cabe_sola(
    puertos: PuertosEnMemoria,
    tmp_path: Path,
    con_id: bool,  # noqa: FBT001
) -> None:
    campos = ({"id": "c-1"} if con_id else {}) | {"campaña_id": "a", "tipo_conversion": "REGISTRO"}
    corta = json.dumps(campos | {"user_agent": ""})
    justa = json.dumps(campos | {"user_agent": "x" * (DE_UN_EVENTO.octetos - len(corta))})
    ruta = archivo(tmp_path, "a.ndjson", justa)
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, ruta)
    assert dicho.stdout == f"{ruta}: 1 fila, 1 aceptada.\n"
    assert len(puertos.publicados) == 1


def test_de_la_fila_que_no_cabe_y_de_la_rota_se_dice_lo_que_de_un_envio(
    puertos: PuertosEnMemoria, tmp_path: Path
) -> None:
    larga = json.dumps({"id": "i-1", "campaña_id": "a", "tipo_evento": "CLIC", "nota": "x" * 70_000})
    ruta = archivo(tmp_path, "a.ndjson", larga, "roto", '{"id":"i-2","campaña_id":"a","tipo_evento":"CLIC"}')
    with servidor(api_en_memoria(puertos)) as puerto:
        dicho = importar(puerto, ruta)
    assert dicho.stdout.splitlines()[0] == f"{ruta}: 3 filas, 1 aceptada, 2 rechazadas."
    assert [(rechazo.linea, rechazo.estado, rechazo.codigo) for rechazo in rechazos(ruta)] == [
        (1, 413, "cuerpo_demasiado_grande"),
        (2, None, "json_ilegible"),
    ]
